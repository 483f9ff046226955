using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Generators;

/// <summary><c>http.rewrite</c>: what becomes of the path. (The authority goes with the headers', which can name it too.)</summary>
internal static class RewriteTranslator
{
    /// <summary>Sets the rewrite of the path: of what the match matched, so of the whole path after an exact match or a regex.</summary>
    public static void SetPath(RouteAction action, HTTPRewrite? rewrite)
    {
        if (rewrite?.UriRegexRewrite is { } regex)
        {
            action.RegexRewrite = new RegexMatchAndSubstitute { Pattern = new RegexMatcher { Regex = regex.Match }, Substitution = regex.Rewrite };
        }
        else if (rewrite is { Uri.Length: > 0 })
        {
            action.PrefixRewrite = rewrite.Uri;
        }
    }
}
