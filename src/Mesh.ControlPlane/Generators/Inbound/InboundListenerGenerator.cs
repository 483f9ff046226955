using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>The listeners of the ports that a server opens: who may connect there, and what they may ask for.</summary>
internal static class InboundListenerGenerator
{
    /// <returns>
    /// The listener, or <see langword="null"/> for a gRPC server's port that no service names, as with Istio. An engine of this mesh is told of every
    /// port: the policies of the mesh, of the namespace and of the workload hold there all the same.
    /// </returns>
    public static Listener? Generate(Proxy proxy, ConfigIndex config, string name, InboundListenerName address)
    {
        var port = InboundPort.Of(proxy, config, address.Port);
        var policies = config.Policies.Of(proxy.Namespace, proxy.Labels);
        var listener = new Listener
        {
            Name = name,
            Address = new Address { SocketAddress = new SocketAddress { Address = address.Host, PortValue = address.Port } },
        };
        if (proxy.Kind == ProxyKind.Grpc)
        {
            if (port.Service is null)
            {
                return null;
            }

            listener.FilterChains.Add(GrpcInboundChain.Of(proxy, config.Mesh, port, policies));
            return listener;
        }

        listener.TrafficDirection = TrafficDirection.Inbound;
        listener.AccessLog.AddRange(config.SignalsOf(proxy, WorkloadMode.Server).ListenerLogs);
        listener.FilterChains.AddRange(new InboundChains(proxy, config, port, policies).Translate());
        if (port.Service is { } served)
        {
            foreach (var chain in listener.FilterChains)
            {
                chain.Metadata = IstioMetadata.OfServed(served);
            }
        }

        if (listener.FilterChains.Any(chain => chain.FilterChainMatch?.TransportProtocol == InboundChains.Tls))
        {
            listener.ListenerFilters.Add(TcpListenerGenerator.TlsInspector);
            listener.ListenerFiltersTimeout = config.Mesh.Config.ProtocolDetectionTimeout ?? new Duration();
            listener.ContinueOnListenerFiltersTimeout = true;
        }

        return listener;
    }
}
