using Envoy.Config.Route.V3;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Rewriting;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry.Tracing;
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
    string path,
    string hostPath,
    RouteFilterConfigsCompiler.ForHost filters,
    ICollection<string> notes)
{
    private readonly Dictionary<Route, RoutePolicy> _known = [];
    private readonly HeaderMutations?[] _requestHeaders =
    [
        HeaderMutationsCompiler.Compile(virtualHost.RequestHeadersToAdd, virtualHost.RequestHeadersToRemove, hostPath + ".request_headers", notes),
        HeaderMutationsCompiler.Compile(configuration.RequestHeadersToAdd, configuration.RequestHeadersToRemove, path + "request_headers", notes),
    ];

    private readonly HeaderMutations?[] _responseHeaders =
    [
        HeaderMutationsCompiler.Compile(virtualHost.ResponseHeadersToAdd, virtualHost.ResponseHeadersToRemove, hostPath + ".response_headers", notes),
        HeaderMutationsCompiler.Compile(configuration.ResponseHeadersToAdd, configuration.ResponseHeadersToRemove, path + "response_headers", notes),
    ];

    public RoutePolicy Compile(Route route, string routePath)
    {
        // A rate limit of its own is a bucket of its own, however much two routes look alike.
        if (route.TypedPerFilterConfig.Count > 0)
        {
            return CompileNew(route, routePath);
        }

        var key = KeyOf(route);
        if (!_known.TryGetValue(key, out var policy))
        {
            policy = CompileNew(route, routePath);
            _known.Add(key, policy);
        }

        return policy;
    }

    private RoutePolicy CompileNew(Route route, string routePath)
    {
        var policy = new RoutePolicy
        {
            BufferLimit = BufferLimit(route) ?? BufferLimit(virtualHost),
            RequestHeaders = InOrder(
                HeaderMutationsCompiler.Compile(route.RequestHeadersToAdd, route.RequestHeadersToRemove, routePath + ".request_headers", notes),
                _requestHeaders),
            ResponseHeaders = InOrder(
                HeaderMutationsCompiler.Compile(route.ResponseHeadersToAdd, route.ResponseHeadersToRemove, routePath + ".response_headers", notes),
                _responseHeaders),
            FilterConfigs = filters.Compile(route, routePath),
            Tracing = RouteTracingCompiler.Compile(route, routePath, notes),
        };
        if (route.Route_ is { } action)
        {
            var actionPath = routePath + ".route";
            var timeouts = TimeoutPolicyCompiler.Compile(action, actionPath);
            policy = policy with
            {
                Priority = RoutingPriorityCompiler.Compile(action.Priority),
                Timeouts = timeouts == TimeoutPolicy.None ? null : timeouts,
                Retry = action.RetryPolicy is not null
                    ? RetryPolicyCompiler.Compile(action.RetryPolicy, actionPath + ".retry_policy", notes)
                    : RetryPolicyCompiler.Compile(virtualHost.RetryPolicy, hostPath + ".retry_policy", notes),
                Hedge = action.HedgePolicy is not null
                    ? RetryPolicyCompiler.Compile(action.HedgePolicy, actionPath + ".hedge_policy", notes)
                    : RetryPolicyCompiler.Compile(virtualHost.HedgePolicy, hostPath + ".hedge_policy", notes),
                HashPolicies = HashPolicyCompiler.Compile(action.HashPolicy, actionPath + ".hash_policy", notes),
                CountsAttempts = virtualHost.IncludeRequestAttemptCount,
                TellsAttempts = virtualHost.IncludeAttemptCountInResponse,
                MarksTimeoutRetries = virtualHost.IncludeIsTimeoutRetryHeader,
                Mirrors = MirrorCompiler.Compile(action.RequestMirrorPolicies, actionPath, notes)
                    ?? MirrorCompiler.Compile(virtualHost.RequestMirrorPolicies, hostPath, notes)
                    ?? MirrorCompiler.Compile(configuration.RequestMirrorPolicies, path.TrimEnd('.'), notes),
                InternalRedirect = InternalRedirectPolicyCompiler.Compile(action.InternalRedirectPolicy, actionPath + ".internal_redirect_policy", notes),
                Rewrite = RewriteCompiler.Compile(action, actionPath, notes),
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

    // The last one evaluated wins: as Envoy has it, the route configuration, unless the most specific one is to.
    private HeaderMutations[]? InOrder(HeaderMutations? ofRoute, HeaderMutations?[] outer)
    {
        HeaderMutations?[] levels = [ofRoute, .. outer];
        if (configuration.MostSpecificHeaderMutationsWins)
        {
            Array.Reverse(levels);
        }

        var used = levels.OfType<HeaderMutations>().ToArray();
        return used.Length == 0 ? null : used;
    }

#pragma warning disable CS0612 // The older field counts where the newer one is absent.
    private static uint? BufferLimit(Route route) => (uint?)route.RequestBodyBufferLimit ?? route.PerRequestBufferLimitBytes;

    private static uint? BufferLimit(VirtualHost host) => (uint?)host.RequestBodyBufferLimit ?? host.PerRequestBufferLimitBytes;
#pragma warning restore CS0612
}
