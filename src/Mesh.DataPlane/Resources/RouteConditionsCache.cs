using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using EnvoyMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles the conditions of routes; equal ones become one object, so that what thousands of routes ask for stays in the processor's cache.</summary>
internal sealed class RouteConditionsCache
{
    private readonly Dictionary<EnvoyMatch, RouteConditions> _known = [];

    public RouteConditions Compile(EnvoyMatch match, string path)
    {
        if (match.Headers.Count == 0 && match.QueryParameters.Count == 0 && match.Cookies.Count == 0 && match.DynamicMetadata.Count == 0
            && match.Grpc is null && match.RuntimeFraction is null)
        {
            return RouteConditions.None;
        }

        var key = new EnvoyMatch { Grpc = match.Grpc, RuntimeFraction = match.RuntimeFraction };
        key.Headers.Add(match.Headers);
        key.QueryParameters.Add(match.QueryParameters);
        key.Cookies.Add(match.Cookies);
        key.DynamicMetadata.Add(match.DynamicMetadata);
        if (!_known.TryGetValue(key, out var conditions))
        {
            conditions = new RouteConditions(
                [.. match.Headers.Select((h, i) => MatcherCompiler.Header(h, $"{path}.headers[{i}]"))],
                [.. match.QueryParameters.Select((q, i) => MatcherCompiler.QueryParameter(q, $"{path}.query_parameters[{i}]"))],
                [.. match.Cookies.Select((c, i) => MatcherCompiler.Cookie(c, $"{path}.cookies[{i}]"))],
                [.. match.DynamicMetadata.Select((m, i) => MatcherCompiler.Metadata(m, $"{path}.dynamic_metadata[{i}]"))],
                match.Grpc is not null,
                match.RuntimeFraction is { } fraction
                    ? MatcherCompiler.Fraction(fraction.DefaultValue ?? new(), path + ".runtime_fraction.default_value")
                    : null);
            _known.Add(key, conditions);
        }

        return conditions;
    }
}
