using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Mesh.Xds.Redaction;

namespace Mesh.Cli.ProxyConfig;

/// <summary>What a route asks of a header, in a word or two.</summary>
internal static class HeaderWords
{
    public static string Of(HeaderMatcher header)
    {
#pragma warning disable CS0612 // gRPC libraries are sent the older fields.
        var (how, value) = header.HeaderMatchSpecifierCase switch
        {
            HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch => Of(header.StringMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.ExactMatch => ("=", header.ExactMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.PrefixMatch => ("^", header.PrefixMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.SuffixMatch => ("$", header.SuffixMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.ContainsMatch => ("*", header.ContainsMatch),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.SafeRegexMatch => ("~", header.SafeRegexMatch.Regex),
            HeaderMatcher.HeaderMatchSpecifierOneofCase.RangeMatch => (" in ", $"{header.RangeMatch.Start}..{header.RangeMatch.End}"),
            _ => ("", ""),
        };
#pragma warning restore CS0612
        return $"{(header.InvertMatch ? "not " : "")}{header.Name}{how}{(value.Length > 0 && SecretRedaction.IsSecret(header.Name) ? SecretRedaction.Redacted : value)}";
    }

    private static (string How, string Value) Of(StringMatcher match) => match.MatchPatternCase switch
    {
        StringMatcher.MatchPatternOneofCase.Exact => ("=", match.Exact),
        StringMatcher.MatchPatternOneofCase.Prefix => ("^", match.Prefix),
        StringMatcher.MatchPatternOneofCase.Suffix => ("$", match.Suffix),
        StringMatcher.MatchPatternOneofCase.Contains => ("*", match.Contains),
        StringMatcher.MatchPatternOneofCase.SafeRegex => ("~", match.SafeRegex.Regex),
        _ => ("", ""),
    };
}
