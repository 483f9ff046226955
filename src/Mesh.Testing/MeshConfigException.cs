namespace Mesh.Testing;

/// <summary>Some documents of a YAML text cannot be used.</summary>
public sealed class MeshConfigException : Exception
{
    internal MeshConfigException(IReadOnlyList<string> diagnostics)
        : base(string.Join(Environment.NewLine, [$"The configuration of the mesh has {diagnostics.Count} error(s):", .. diagnostics]))
        => Diagnostics = diagnostics;

    /// <summary>
    /// Everything that is wrong, one line each: line and column in the text, kind and name of the document, path of the field, reason and way out.
    /// </summary>
    public IReadOnlyList<string> Diagnostics { get; }
}
