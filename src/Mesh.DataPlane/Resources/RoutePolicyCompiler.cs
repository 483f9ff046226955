using Envoy.Config.Route.V3;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;
using VirtualHost = Envoy.Config.Route.V3.VirtualHost;

namespace Mesh.DataPlane.Resources;

/// <summary>
/// Compiles what the routes of one virtual host do beside choosing a cluster. Levels merge here: route before virtual host before route
/// configuration. Routes that say the same share one policy, which then stays in the processor's cache.
/// </summary>
internal sealed class RoutePolicyCompiler(
    RouteConfiguration configuration,
    VirtualHost virtualHost,
    string hostPath,
    RouteFilterConfigsCompiler.ForHost filters,
    ICollection<string> notes)
{
    private readonly Dictionary<Route, RoutePolicy> _known = [];

    public RoutePolicy Compile(Route route, string path)
    {
        // A rate limit of its own is a bucket of its own, however much two routes look alike.
        if (route.TypedPerFilterConfig.Count > 0)
        {
            return CompileNew(route, path);
        }

        var key = KeyOf(route);
        if (!_known.TryGetValue(key, out var policy))
        {
            policy = CompileNew(route, path);
            _known.Add(key, policy);
        }

        return policy;
    }

    private RoutePolicy CompileNew(Route route, string path)
    {
        _ = configuration;
        var policy = new RoutePolicy { BufferLimit = BufferLimit(route) ?? BufferLimit(virtualHost), FilterConfigs = filters.Compile(route, path) };
        if (route.Route_ is { } action)
        {
            path += ".route";
            var timeouts = TimeoutPolicyCompiler.Compile(action, path);
            policy = policy with
            {
                Priority = RoutingPriorityCompiler.Compile(action.Priority),
                Timeouts = timeouts == TimeoutPolicy.None ? null : timeouts,
                Retry = action.RetryPolicy is not null
                    ? RetryPolicyCompiler.Compile(action.RetryPolicy, path + ".retry_policy", notes)
                    : RetryPolicyCompiler.Compile(virtualHost.RetryPolicy, hostPath + ".retry_policy", notes),
                Hedge = action.HedgePolicy is not null
                    ? RetryPolicyCompiler.Compile(action.HedgePolicy, path + ".hedge_policy", notes)
                    : RetryPolicyCompiler.Compile(virtualHost.HedgePolicy, hostPath + ".hedge_policy", notes),
                HashPolicies = HashPolicyCompiler.Compile(action.HashPolicy, path + ".hash_policy", notes),
                CountsAttempts = virtualHost.IncludeRequestAttemptCount,
                TellsAttempts = virtualHost.IncludeAttemptCountInResponse,
                MarksTimeoutRetries = virtualHost.IncludeIsTimeoutRetryHeader,
            };
        }
        return policy == RoutePolicy.None ? RoutePolicy.None : policy;
    }

    // Everything but what is the route's own: its match, its name and where it leads.
    private static Route KeyOf(Route route)
    {
        var key = route.Clone();
        key.Name = "";
        key.Match = null;
        key.Metadata = null;
        key.StatPrefix = "";
        key.Route_?.ClearClusterSpecifier();
        return key;
    }

#pragma warning disable CS0612 // The older field counts where the newer one is absent.
    private static uint? BufferLimit(Route route) => (uint?)route.RequestBodyBufferLimit ?? route.PerRequestBufferLimitBytes;

    private static uint? BufferLimit(VirtualHost host) => (uint?)host.RequestBodyBufferLimit ?? host.PerRequestBufferLimitBytes;
#pragma warning restore CS0612
}
