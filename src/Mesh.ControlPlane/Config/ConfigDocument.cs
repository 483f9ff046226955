namespace Mesh.ControlPlane.Config;

/// <summary>What became of one document (or of one item of a <c>List</c>) of a text.</summary>
/// <param name="Key">Kind, namespace and name as far as they could be read, even when the rest could not.</param>
/// <param name="Resource">The document, unless it has errors or its kind is not read.</param>
/// <param name="Diagnostics">What to tell its author.</param>
internal sealed record ConfigDocument((string Kind, string Namespace, string Name)? Key, ConfigResource? Resource, IReadOnlyList<ConfigDiagnostic> Diagnostics)
{
    public bool HasErrors => Diagnostics.Any(d => d.Severity == ConfigSeverity.Error);
}
