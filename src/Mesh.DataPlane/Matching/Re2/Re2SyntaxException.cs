namespace Mesh.DataPlane.Matching.Re2;

/// <summary>A pattern or substitution that RE2 refuses, or that exceeds what this process is willing to run.</summary>
internal sealed class Re2SyntaxException : FormatException
{
    public Re2SyntaxException(string pattern, int position, string reason)
        : base($"RE2 pattern '{Shorten(pattern)}' at offset {position}: {reason}")
    {
        Position = position;
        Reason = reason;
    }

    public Re2SyntaxException(string pattern, int position, string reason, Exception inner)
        : base($"RE2 pattern '{Shorten(pattern)}' at offset {position}: {reason}", inner)
    {
        Position = position;
        Reason = reason;
    }

    /// <summary>Offset into the pattern, in UTF-16 units, at which the offending part begins.</summary>
    public int Position { get; }

    public string Reason { get; }

    private static string Shorten(string pattern) => pattern.Length <= 120 ? pattern : string.Concat(pattern.AsSpan(0, 117), "...");
}
