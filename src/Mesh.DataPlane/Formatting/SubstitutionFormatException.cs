namespace Mesh.DataPlane.Formatting;

/// <summary>A format that cannot be compiled, and where.</summary>
internal sealed class SubstitutionFormatException(string format, int position, string reason)
    : FormatException($"'{format}', position {position}: {reason}")
{
    public int Position { get; } = position;
}
