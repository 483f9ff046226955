using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// What an engine in an application's process does with hosts that it has no listener for, under the name of Istio's listener for the same: its
/// API listener has the virtual host that Istio appends to the routes of each port, <c>allow_any</c> or <c>block_all</c>.
/// </summary>
internal static class VirtualOutbound
{
    public const string Name = "virtualOutbound";

    private const string AllowAny = "allow_any";
    private const string BlockAll = "block_all";

    /// <summary>Istio's port for whatever is redirected.</summary>
    private const uint Port = 15001;

    public static Listener Generate(OutboundTraffic traffic, EnvoyHeaders headers, ListenerSignals? signals = null)
    {
        var connectionManager = new HttpConnectionManager
        {
            StatPrefix = Name,
            RouteConfig = new RouteConfiguration { Name = Name, VirtualHosts = { VirtualHostOf(traffic, headers) } },
            HttpFilters = { HttpFilters.Outbound(ProxyKind.Mesh, headers, signals) },
        };
        signals?.ApplyTo(connectionManager);
        return new Listener
        {
            Name = Name,
            Address = new Address { SocketAddress = new SocketAddress { Address = "0.0.0.0", PortValue = Port } },
            ApiListener = new ApiListener { ApiListener_ = Any.Pack(connectionManager) },
        };
    }

    private static VirtualHost VirtualHostOf(OutboundTraffic traffic, EnvoyHeaders headers)
    {
        var cluster = traffic switch
        {
            { EgressProxy: { } proxy } => proxy.ToString(),
            { IsAllowed: true } => PassthroughCluster.Name,
            _ => null,
        };
        var route = new Route { Name = cluster is null ? BlockAll : AllowAny, Match = new RouteMatch { Prefix = "/" } };
        if (cluster is null)
        {
            route.DirectResponse = new DirectResponseAction { Status = 502 };
        }
        else
        {
            route.Route_ = new RouteAction { Cluster = cluster, Timeout = new Duration() };
        }

        return new VirtualHost { Name = route.Name, Domains = { "*" }, Routes = { route }, IncludeRequestAttemptCount = !headers.HidesAttempts };
    }
}
