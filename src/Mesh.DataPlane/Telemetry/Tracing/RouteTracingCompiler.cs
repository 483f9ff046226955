using Envoy.Config.Route.V3;
using Mesh.DataPlane.Headers;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Compiles <c>decorator</c> and <c>tracing</c> of a route.</summary>
internal static class RouteTracingCompiler
{
    /// <returns><see langword="null"/> where the route says nothing of spans.</returns>
    public static RouteTracing? Compile(Route route, string path, ICollection<string> notes)
    {
        if (route.Decorator is null && route.Tracing is null)
        {
            return null;
        }

        if (route.Decorator is { Propagate: true })
        {
            notes.Add($"{path}.decorator.propagate is not applied: whoever serves the request names its own span");
        }

        var tracing = route.Tracing;
        if (tracing is { UpstreamOperation.Length: > 0 })
        {
            notes.Add($"{path}.tracing.upstream_operation is not applied: attempts are events of the request's one span");
        }

        foreach (var (rate, field) in new[] { (tracing?.ClientSampling, "client_sampling"), (tracing?.RandomSampling, "random_sampling"), (tracing?.OverallSampling, "overall_sampling") })
        {
            if (rate is not null)
            {
                notes.Add($"{path}.tracing.{field} is not applied, as requests are sampled before they are routed: the listener's is");
            }
        }

        return new RouteTracing(
            route.Decorator?.Operation,
            tracing is { Operation.Length: > 0 } ? HeaderMutationsCompiler.Format(tracing.Operation, omitEmptyValues: true, path + ".tracing.operation", notes) : null,
            tracing is null ? [] : CustomTagCompiler.Compile(tracing.CustomTags, path + ".tracing.custom_tags", notes));
    }
}
