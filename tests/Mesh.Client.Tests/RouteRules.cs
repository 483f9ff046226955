using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;

namespace Mesh.Client.Tests;

/// <summary>Routes of a test that say more than where to go.</summary>
internal static class RouteRules
{
    private static Duration Millisecond => Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1));

    /// <summary>A service whose one route the test completes; endpoints on this machine.</summary>
    public static ClientMesh ServeWith(this ClientMesh mesh, Action<RouteAction> route, bool http2, params int[] ports)
        => mesh.ServeWith(route, _ => { }, http2, ports);

    public static ClientMesh ServeWith(this ClientMesh mesh, Action<RouteAction> route, Action<VirtualHost> host, bool http2, params int[] ports)
    {
        const string Authority = "reviews:9080";
        var rule = DataPlane.Tests.Resources.Prefix("/", Authority);
        route(rule.Route_);
        var routes = DataPlane.Tests.Resources.Routes(Authority, rule);
        host(routes.VirtualHosts[0]);
        mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(Authority, Authority));
        mesh.Xds.Set(RouteConfigurationType.Instance, routes);
        return mesh.SetCluster(Authority, http2).SetEndpoints(Authority, ports);
    }

    /// <summary>Retries whose back-off is too short to notice.</summary>
    public static RetryPolicy Retry(string on, uint retries = 1, params uint[] codes) => new()
    {
        RetryOn = on,
        NumRetries = retries,
        RetriableStatusCodes = { codes },
        RetryBackOff = new RetryPolicy.Types.RetryBackOff { BaseInterval = Millisecond, MaxInterval = Millisecond },
        RetryHostPredicate = { new RetryPolicy.Types.RetryHostPredicate { Name = "envoy.retry_host_predicates.previous_hosts" } },
        HostSelectionRetryMaxAttempts = 5,
    };
}
