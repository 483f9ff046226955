namespace Mesh.Testing;

/// <summary>The endpoint that a request went to.</summary>
/// <param name="Address">Its address in the mesh.</param>
/// <param name="Version">Its version, or an empty text.</param>
/// <param name="Locality">Where it runs, as <c>region/zone/subzone</c>.</param>
/// <param name="Labels">Its labels; of an endpoint that documents list, those that xDS carries.</param>
public sealed record MeshDecisionEndpoint(string Address, string Version, string Locality, IReadOnlyDictionary<string, string> Labels)
{
    /// <inheritdoc/>
    public override string ToString() => Version.Length > 0 ? $"{Address} ({Version})" : Address;
}
