namespace Mesh.ControlPlane.Security;

/// <summary>The trust domain of the mesh and its former names (MeshConfig's <c>trustDomain</c> and <c>trustDomainAliases</c>).</summary>
internal sealed record TrustDomains(string Name, IReadOnlyCollection<string> Aliases)
{
    /// <summary>Istio's default.</summary>
    public const string Default = "cluster.local";

    public bool Include(string trustDomain) => trustDomain == Name || Aliases.Contains(trustDomain);
}
