namespace Mesh.ControlPlane.Config;

/// <summary>Where a document begins: file (or <c>memory</c>) and the line of its first key.</summary>
internal sealed record ConfigSource(string File, int Line)
{
    public override string ToString() => $"{File}:{Line}";
}
