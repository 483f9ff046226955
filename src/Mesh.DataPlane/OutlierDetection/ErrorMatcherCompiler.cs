using Envoy.Config.Common.Matcher.V3;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using Rule = Envoy.Config.Common.Matcher.V3.MatchPredicate.RuleOneofCase;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>Turns a <c>MatchPredicate</c> into an <see cref="ErrorMatcher"/>. Outlier detection sees the response's headers alone; a rule on anything else is refused.</summary>
internal static class ErrorMatcherCompiler
{
    private const int MaxDepth = 16;

    public static ErrorMatcher Compile(MatchPredicate message, string path, int depth = 0)
    {
        if (depth == MaxDepth)
        {
            throw new ResourceRejectedException(path, $"is nested deeper than {MaxDepth} rules");
        }

        return message.RuleCase switch
        {
            Rule.OrMatch => new ErrorMatcher.Any(Set(message.OrMatch, path + ".or_match", depth)),
            Rule.AndMatch => new ErrorMatcher.All(Set(message.AndMatch, path + ".and_match", depth)),
            Rule.NotMatch => new ErrorMatcher.Not(Compile(message.NotMatch, path + ".not_match", depth + 1)),
            Rule.AnyMatch => new ErrorMatcher.Always(),
            Rule.HttpResponseHeadersMatch => new ErrorMatcher.Headers(
                [.. message.HttpResponseHeadersMatch.Headers.Select((h, i) => MatcherCompiler.Header(h, $"{path}.http_response_headers_match.headers[{i}]"))]),
            Rule.None => throw new ResourceRejectedException(path, "must have a rule"),
            var other => throw new ResourceRejectedException(path, $"{other} is not known when outlier detection asks; match the response's headers"),
        };
    }

    private static ErrorMatcher[] Set(MatchPredicate.Types.MatchSet set, string path, int depth)
        => [.. set.Rules.Select((r, i) => Compile(r, $"{path}.rules[{i}]", depth + 1))];
}
