using System.Text;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>What a value of a policy matches: itself, a prefix (<c>a*</c>), a suffix (<c>*a</c>) or anything that is there (<c>*</c>).</summary>
internal static class StringMatchers
{
    private const string Meta = @"\.+*?()|[]{}^$";

    public static StringMatcher Of(string value, string before = "") => value switch
    {
        "*" => Present(),
        ['*', .. var end] => before.Length == 0 ? Suffix(end) : Regex($"{before}.*{Quote(end)}"),
        [.. var start, '*'] => Prefix(before + start),
        _ => Exact(before + value),
    };

    public static StringMatcher Exact(string text) => new() { Exact = text };

    public static StringMatcher Prefix(string text) => new() { Prefix = text };

    public static StringMatcher Suffix(string text) => new() { Suffix = text };

    public static StringMatcher Regex(string pattern) => new() { SafeRegex = new RegexMatcher { Regex = pattern } };

    /// <summary>Anything but nothing.</summary>
    public static StringMatcher Present() => Regex(".+");

    /// <summary>The same of a header, whose presence can be asked for as such.</summary>
    public static HeaderMatcher Header(string name, string value, bool ignoreCase = false)
    {
        if (value == "*")
        {
            return new HeaderMatcher { Name = name, PresentMatch = true };
        }

        var matcher = Of(value);
        matcher.IgnoreCase = ignoreCase;
        return new HeaderMatcher { Name = name, StringMatch = matcher };
    }

    /// <summary>Text as a part of a pattern in RE2's syntax.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (Meta.Contains(c, StringComparison.Ordinal))
            {
                quoted.Append('\\');
            }

            quoted.Append(c);
        }

        return quoted.ToString();
    }
}
