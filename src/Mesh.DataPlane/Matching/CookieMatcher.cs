namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>CookieMatcher</c>, compiled.</summary>
internal sealed class CookieMatcher(string name, StringMatcher matcher, bool invert)
{
    public static HeaderName Header { get; } = new("cookie");

    public bool IsMatch(scoped in RequestView request)
        => (request.TryGetHeader(Header, out var header) && TryGet(header, name, out var value) && matcher.IsMatch(value)) != invert;

    public override string ToString() => $"cookie {name} is {(invert ? "not " : "")}{matcher}";

    /// <summary>The first cookie of that name in a Cookie header, without its quotes.</summary>
    public static bool TryGet(ReadOnlySpan<char> header, ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        while (!header.IsEmpty)
        {
            var end = header.IndexOf(';');
            var pair = (end < 0 ? header : header[..end]).Trim(' ');
            header = end < 0 ? [] : header[(end + 1)..];

            var equals = pair.IndexOf('=');
            if (equals > 0 && pair[..equals].SequenceEqual(name))
            {
                value = pair[(equals + 1)..];
                if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
                {
                    value = value[1..^1];
                }

                return true;
            }
        }

        value = [];
        return false;
    }
}
