namespace Mesh.DataPlane.Expressions;

/// <summary>An expression that cannot be compiled, and where.</summary>
internal sealed class CelSyntaxException(string expression, int position, string reason)
    : FormatException($"'{expression}', position {position}: {reason}")
{
    public int Position { get; } = position;
}
