namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>QueryParameterMatcher</c>, compiled: looks at the first parameter of that name, as it was sent, without decoding.</summary>
internal sealed class QueryParameterMatcher(string name, StringMatcher? matcher, bool present)
{
    public bool IsMatch(scoped in RequestView request)
    {
        var found = TryGet(request.Query, name, out var value);
        return matcher is null ? found == present : found && matcher.IsMatch(value);
    }

    public override string ToString()
        => matcher is null ? $"query parameter {name} is {(present ? "present" : "absent")}" : $"query parameter {name} is {matcher}";

    /// <summary>The first parameter of that name, as it was sent.</summary>
    public static bool TryGet(ReadOnlySpan<char> query, ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        while (!query.IsEmpty)
        {
            var end = query.IndexOf('&');
            var pair = end < 0 ? query : query[..end];
            query = end < 0 ? [] : query[(end + 1)..];

            var equals = pair.IndexOf('=');
            if ((equals < 0 ? pair : pair[..equals]).SequenceEqual(name))
            {
                value = equals < 0 ? [] : pair[(equals + 1)..];
                return true;
            }
        }

        value = [];
        return false;
    }
}
