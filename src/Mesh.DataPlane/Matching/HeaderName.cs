using System.Collections.Frozen;

namespace Mesh.DataPlane.Matching;

/// <summary>A header as a matcher names it, with what can be known of the name once instead of on every request.</summary>
internal sealed class HeaderName
{
    // System.Net.Http keeps these with the content and refuses to look for them anywhere else.
    private static readonly FrozenSet<string> ContentHeaders = FrozenSet.ToFrozenSet(
        [
            "allow", "content-disposition", "content-encoding", "content-language", "content-length", "content-location",
            "content-md5", "content-range", "content-type", "expires", "last-modified",
        ],
        StringComparer.OrdinalIgnoreCase);

    // RFC 9110, section 5.6.2.
    private static readonly System.Buffers.SearchValues<char> TokenCharacters
        = System.Buffers.SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public HeaderName(string name)
    {
        Value = name.ToLowerInvariant();
        IsContentHeader = ContentHeaders.Contains(Value);
        Pseudo = Value switch
        {
            ":path" => PseudoHeader.Path,
            ":method" => PseudoHeader.Method,
            ":authority" or "host" => PseudoHeader.Authority,
            ":scheme" => PseudoHeader.Scheme,
            _ => PseudoHeader.None,
        };
    }

    public string Value { get; }

    public bool IsContentHeader { get; }

    public PseudoHeader Pseudo { get; }

    /// <summary>Whether a header stands with the content, whatever case it is written in.</summary>
    public static bool IsContent(string name) => ContentHeaders.Contains(name);

    /// <summary>Whether the text can stand as a header's name: a token.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) => !name.IsEmpty && !name.ContainsAnyExcept(TokenCharacters);

    public override string ToString() => Value;
}
