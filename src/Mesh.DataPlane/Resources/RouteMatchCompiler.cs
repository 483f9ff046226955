using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.Xds.Client;
using EnvoyPath = Envoy.Config.Route.V3.RouteMatch.PathSpecifierOneofCase;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles what a route asks of a request; a condition that is not honoured is refused, since the route would match too much.</summary>
internal static class RouteMatchCompiler
{
    public static Routing.RouteMatch Compile(Envoy.Config.Route.V3.RouteMatch match, RouteConditionsCache conditions, string path)
    {
        // Each of these narrows what the route applies to; ignoring one would send requests where they must not go.
        FieldRules.Refuse(match.PathSpecifierCase == EnvoyPath.ConnectMatcher, path + ".connect_matcher");
        FieldRules.Refuse(match.PathSpecifierCase == EnvoyPath.PathMatchPolicy, path + ".path_match_policy");
        FieldRules.Refuse(match.TlsContext is not null, path + ".tls_context");
        FieldRules.Refuse(match.FilterState.Count > 0, path + ".filter_state");

        var caseSensitive = match.CaseSensitive ?? true;
        var pathMatch = match.PathSpecifierCase switch
        {
            EnvoyPath.Prefix => new PathMatch(PathMatchKind.Prefix, match.Prefix, caseSensitive),
            EnvoyPath.Path => new PathMatch(PathMatchKind.Exact, match.Path, caseSensitive),
            EnvoyPath.PathSeparatedPrefix => new PathMatch(PathMatchKind.PathSeparatedPrefix, match.PathSeparatedPrefix, caseSensitive),
            EnvoyPath.SafeRegex => new PathMatch(
                PathMatchKind.Regex,
                match.SafeRegex.Regex,
                CaseSensitive: true,
                MatcherCompiler.Regex(match.SafeRegex, path + ".safe_regex")),
            _ => throw new ResourceRejectedException(path, "one of prefix, path, safe_regex and path_separated_prefix must be set"),
        };

        return new Routing.RouteMatch(pathMatch, conditions.Compile(match, path));
    }
}
