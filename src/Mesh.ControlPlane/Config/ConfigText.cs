namespace Mesh.ControlPlane.Config;

/// <summary>What a text holds.</summary>
/// <param name="Documents">Its documents in their order.</param>
/// <param name="Broken">Why the text could not be read to its end; then its documents are only its beginning.</param>
internal sealed record ConfigText(IReadOnlyList<ConfigDocument> Documents, ConfigDiagnostic? Broken)
{
    public IEnumerable<ConfigResource> Resources => Documents.Where(d => d.Resource is not null).Select(d => d.Resource!);

    public IEnumerable<ConfigDiagnostic> Diagnostics => Documents.SelectMany(d => d.Diagnostics).Concat(Broken is null ? [] : [Broken]);
}
