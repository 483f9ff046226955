using Istio.Mesh.V1Alpha1;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The mesh's trust domain and its other names, and what principals of policies come to with them.</summary>
internal sealed class TrustDomains
{
    /// <summary>Istio's default, which in policies stands for whatever the trust domain is.</summary>
    public const string Default = "cluster.local";

    // trust domain / ns / namespace / sa / account
    private const int PrincipalParts = 5;

    private readonly string[] _domains;

    public TrustDomains(MeshConfig config)
        => _domains = [config.TrustDomain.Length > 0 ? config.TrustDomain : Default, .. config.TrustDomainAliases];

    /// <summary>The mesh's own, then the aliases.</summary>
    public IReadOnlyList<string> All => _domains;

    public string Own => _domains[0];

    /// <summary>Principals that name one of the mesh's trust domains mean it by all of its names; those that leave it open or name another stay.</summary>
    public IEnumerable<string> ExpandPrincipals(IEnumerable<string> principals) => principals.SelectMany(Expand);

    /// <summary>The same of trust domains by themselves.</summary>
    public IEnumerable<string> ExpandDomains(IEnumerable<string> domains)
        => domains.SelectMany(domain => _domains.Contains(domain) ? _domains : [domain]).Distinct();

    private IEnumerable<string> Expand(string principal)
    {
        var parts = principal.Split('/');
        if (parts.Length != PrincipalParts || parts[0] == "*")
        {
            return [principal];
        }

        var domain = parts[0];
        if (domain != Default && !_domains.Any(own => own == "*" || Overlap(domain, own)))
        {
            return [principal];
        }

        var rest = principal[domain.Length..];

        // "*-td" is kept for the names that it covers already.
        return _domains.Select(own => Ends(own, domain) ? principal : own + rest).Distinct();
    }

    private static bool Overlap(string left, string right)
        => left == right || Begins(left, right) || Begins(right, left) || Ends(left, right) || Ends(right, left);

    private static bool Begins(string text, string pattern) => pattern.EndsWith('*') && text.StartsWith(pattern[..^1], StringComparison.Ordinal);

    private static bool Ends(string text, string pattern) => pattern.StartsWith('*') && text.EndsWith(pattern[1..], StringComparison.Ordinal);
}
