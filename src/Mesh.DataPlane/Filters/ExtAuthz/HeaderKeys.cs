using Envoy.Type.Matcher.V3;
using Mesh.DataPlane.Matching;
using StringMatcher = Mesh.DataPlane.Matching.StringMatcher;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Which headers are meant, by their names in lower case (<c>ListStringMatcher</c>).</summary>
internal sealed class HeaderKeys
{
    private readonly StringMatcher[] _matchers;

    private HeaderKeys(StringMatcher[] matchers) => _matchers = matchers;

    /// <summary>No header.</summary>
    public static HeaderKeys None { get; } = new([]);

    /// <summary>Those of the list, and some more.</summary>
    public static HeaderKeys Compile(ListStringMatcher? message, string path, params string[] always)
        => message is null && always.Length == 0
            ? None
            : new HeaderKeys([
                .. (message?.Patterns ?? []).Select((p, i) => MatcherCompiler.String(p, $"{path}.patterns[{i}]")),
                .. always.Select(name => new StringMatcher.Exact(name))]);

    public bool Contain(string name)
    {
        foreach (var matcher in _matchers)
        {
            if (matcher.IsMatch(name))
            {
                return true;
            }
        }

        return false;
    }
}
