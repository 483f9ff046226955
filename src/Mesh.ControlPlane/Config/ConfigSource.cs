using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config;

/// <summary>Where a document begins: file (or <c>memory</c>) and the line of its first key.</summary>
internal sealed record ConfigSource(string File, int Line)
{
    /// <summary>Where its fields are; absent in documents that were not read from YAML.</summary>
    public SourceMap? Marks { get; init; }

    /// <summary>The line and column, from 1, of a field such as <c>spec.http[0].route[1].weight</c>.</summary>
    public (int Line, int Column) Locate(string path) => Marks?.Locate(path) ?? (Line, 1);

    public bool Equals(ConfigSource? other)
        => other is not null && File == other.File && Line == other.Line
            && (ReferenceEquals(Marks, other.Marks) || (Marks is not null && other.Marks is not null && Marks.SamePlaces(other.Marks)));

    public override int GetHashCode() => HashCode.Combine(File, Line);

    public override string ToString() => $"{File}:{Line}";
}
