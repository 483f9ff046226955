using System.Buffers;
using System.Text;

namespace Mesh.DataPlane.Upstream;

/// <summary>Makes URIs whose target goes over the wire byte by byte, and decides which targets and authorities may.</summary>
internal static class RequestTarget
{
    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    // What a request line may carry: visible ASCII, but no fragment.
    private static readonly SearchValues<char> TargetCharacters = SearchValues.Create([.. Visible().Where(c => c != '#')]);
    private static readonly SearchValues<char> LocationCharacters = SearchValues.Create([.. Visible()]);

    // RFC 3986: a registered name, an address, brackets and the port; no user information.
    private static readonly SearchValues<char> AuthorityCharacters
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+;=[]:");

    /// <summary>The target as it can be sent: characters beyond ASCII become percent-encoded UTF-8.</summary>
    /// <returns><see langword="null"/> when it would break the request line, or is not a path.</returns>
    public static string? Sendable(string target) => Encoded(target, TargetCharacters);

    /// <summary>The same for the target of a redirect, which may have a fragment.</summary>
    public static string? Redirectable(string target) => Encoded(target, LocationCharacters);

    /// <summary>
    /// Whether a target would be read as more than one word or line. <see cref="Uri"/> escapes what would, unless its maker forbade it
    /// (<see cref="UriCreationOptions.DangerousDisablePathAndQueryCanonicalization"/>).
    /// </summary>
    public static bool BreaksRequestLine(ReadOnlySpan<char> target) => target.IndexOfAnyInRange('\0', ' ') >= 0 || target.Contains('\x7F');

    /// <summary>Whether the text can stand in a Host header.</summary>
    public static bool IsAuthority(string text)
    {
        if (text.Length == 0 || text.AsSpan().ContainsAnyExcept(AuthorityCharacters))
        {
            return false;
        }

        // [v6] or a name; then at most one port.
        var name = text[0] == '[' ? text.IndexOf(']') + 1 : text.AsSpan().IndexOf(':') is >= 0 and var colon ? colon : text.Length;
        return name > 0
            && Uri.TryCreate($"http://{text}/", UriKind.Absolute, out _)
            && !text.AsSpan(text[0] == '[' ? name : 0).ContainsAny('[', ']')
            && (name == text.Length || (text[name] == ':' && ushort.TryParse(text.AsSpan(name + 1), System.Globalization.NumberStyles.None, null, out _)));
    }

    /// <summary>The authority of a request as it goes over the wire.</summary>
    public static string AuthorityOf(HttpRequestMessage request)
    {
        if (request.Headers.Host is { Length: > 0 } host)
        {
            return host;
        }

        var uri = request.RequestUri!;
        var name = uri.HostNameType == UriHostNameType.IPv6 ? $"[{uri.IdnHost}]" : uri.IdnHost;
        return uri.IsDefaultPort ? name : $"{name}:{uri.Port}";
    }

    /// <summary>Where the port begins in an authority, its colon included; the length when there is none.</summary>
    public static int PortStart(ReadOnlySpan<char> authority)
    {
        var colon = authority.LastIndexOf(':');
        return colon < 0 || authority[colon..].Contains(']') ? authority.Length : colon;
    }

    /// <summary>The same address with another target, which must be <see cref="Sendable"/>.</summary>
    public static Uri With(Uri uri, string pathAndQuery) => new(uri.GetLeftPart(UriPartial.Authority) + pathAndQuery, Verbatim);

    private static string? Encoded(string target, SearchValues<char> allowed)
    {
        if (target.Length == 0 || target[0] != '/')
        {
            return null;
        }

        if (!target.AsSpan().ContainsAnyExcept(allowed))
        {
            return target;
        }

        var encoded = new StringBuilder(target.Length + 16);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in target.EnumerateRunes())
        {
            if (rune.IsAscii)
            {
                if (!allowed.Contains((char)rune.Value))
                {
                    return null;
                }

                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (var part in utf8[..rune.EncodeToUtf8(utf8)])
            {
                encoded.Append('%').Append(part.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return encoded.ToString();
    }

    private static IEnumerable<char> Visible() => Enumerable.Range(0x21, 0x7E - 0x20).Select(c => (char)c);
}
