using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>API listeners: one per authority, named as the client wrote it (gRFC A27; Istio's proxyless listeners).</summary>
internal static class ListenerGenerator
{
    public static Listener Generate(Proxy proxy, MeshSettings mesh, string name, HostTarget target, ListenerSignals? signals = null, EnvoyHeaders headers = default)
    {
        var routes = new SubsetKey(target.Port, "", target.Host).ToString();
        var connectionManager = new HttpConnectionManager
        {
            Rds = new Rds { ConfigSource = ConfigSources.Ads, RouteConfigName = routes },
            HttpFilters = { HttpFilters.Outbound(proxy.Kind, headers, signals) },
        };
        if (proxy.Kind == ProxyKind.Mesh)
        {
            connectionManager.StatPrefix = routes;
            PathNormalization.Apply(connectionManager, mesh.PathNormalization);
            signals?.ApplyTo(connectionManager);
        }

        return new Listener
        {
            Name = name,
            Address = new Address { SocketAddress = new SocketAddress { Address = "0.0.0.0", PortValue = target.Port } },
            ApiListener = new ApiListener { ApiListener_ = Any.Pack(connectionManager) },
        };
    }
}
