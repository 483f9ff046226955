using System.Buffers;

namespace Mesh.Filters;

/// <summary>What may stand in a request line and in headers: whatever else would let one message be read as two.</summary>
internal static class HeaderSyntax
{
    // RFC 9110, section 5.6.2.
    private static readonly SearchValues<char> Token
        = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> Authority
        = SearchValues.Create("-._~!$&'()*+,;=:[]%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(Token);

    /// <summary>Visible ASCII after a slash; a fragment is never sent.</summary>
    public static bool IsTarget(ReadOnlySpan<char> text) => text.StartsWith('/') && !text.ContainsAnyExceptInRange('!', '~') && !text.Contains('#');

    public static bool IsAuthority(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(Authority);

    /// <summary>No control character but the tab (RFC 9110, section 5.5).</summary>
    public static bool IsValue(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if ((c < ' ' && c != '\t') || c == '\x7f')
            {
                return false;
            }
        }

        return true;
    }

    /// <exception cref="ArgumentException">One of the two may not be sent.</exception>
    public static void Check(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!IsToken(name))
        {
            throw new ArgumentException($"'{name}' is not the name of a header.", nameof(name));
        }

        if (!IsValue(value))
        {
            throw new ArgumentException($"The value of the header '{name}' has a line break or another control character.", nameof(value));
        }
    }
}
