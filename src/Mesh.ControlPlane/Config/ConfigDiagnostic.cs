using Mesh.Xds.Validation;

namespace Mesh.ControlPlane.Config;

/// <summary>Something to tell the author of a document.</summary>
/// <param name="Severity">Errors keep the document (and its last good version serves); warnings do not.</param>
/// <param name="Code">A stable code in Istio's style: <c>IST0101</c> where Istio has one for the same thing.</param>
/// <param name="File">The file, or <c>memory</c>.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Path">The path of the field: <c>spec.http[0].route[1].weight</c>.</param>
/// <param name="Resource">Kind, namespace and name, when they are known.</param>
/// <param name="Message">The reason and the way out.</param>
internal sealed record ConfigDiagnostic(
    ConfigSeverity Severity,
    string Code,
    string File,
    int Line,
    int Column,
    string Path,
    string? Resource,
    string Message)
{
    /// <summary>The path of the field: <c>spec.http[0].route[1].weight</c>.</summary>
    public string Path { get; } = PrintableText.Of(Path);

    /// <summary>Kind, namespace and name, when they are known.</summary>
    public string? Resource { get; } = Resource is null ? null : PrintableText.Of(Resource);

    /// <summary>The reason and the way out. Documents are quoted in it, and logs have a line for each.</summary>
    public string Message { get; } = PrintableText.Of(Message);

    public override string ToString()
        => $"{File}:{Line}:{Column}: {(Severity == ConfigSeverity.Error ? "error" : "warning")} {Code}: {(Resource is null ? "" : Resource + ": ")}{(Path.Length == 0 ? "" : Path + ": ")}{Message}";
}
