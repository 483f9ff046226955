using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// Listeners for connections of an application whose mesh is in its own process: asked for by host, <c>tcp://mysql:3306</c>, with the filter chains that
/// a proxy beside it would have for that service and port. As nothing is redirected, the listener's address says where the service is: conditions on the
/// destination are asked of it.
/// </summary>
internal static class ConnectionListenerGenerator
{
    public const string Scheme = "tcp://";

    private const string Unspecified = "0.0.0.0";

    /// <returns>The service and port that a name means to a client, or <see langword="null"/> when it knows none.</returns>
    public static TcpListenerTarget? Resolve(ClientScope scope, string name)
        => name.StartsWith(Scheme, StringComparison.Ordinal)
            && Authority.TryParse(name[Scheme.Length..], out _, out var port) && port is not null
            && scope.Resolve(name[Scheme.Length..]) is { } target
            && scope.FindService(target.Host) is { } service
            && service.FindPort(target.Port) is { } servicePort
                ? new TcpListenerTarget(service, servicePort, null)
                : null;

    public static Listener Generate(Proxy proxy, ConfigIndex config, string name, TcpListenerTarget target)
    {
        var listener = new Listener
        {
            Name = name,
            Address = new Address { SocketAddress = new SocketAddress { Address = AddressOf(proxy, target.Service), PortValue = target.Port.Number } },
            TrafficDirection = TrafficDirection.Outbound,
            ContinueOnListenerFiltersTimeout = true,
            ListenerFiltersTimeout = new Duration(),
            AccessLog = { config.SignalsOf(proxy, WorkloadMode.Client).ListenerLogs },
        };
        var rules = config.ScopeOf(proxy).FindVirtualServices(target.Service.Host, target.Port.Number);
        TcpListenerGenerator.AddChains(listener, new TcpChainTranslator(proxy, config, target, isOwnAddress: true).Translate(rules), passesOn: null);
        return listener;
    }

    // Of an address range any will do: it is as much a destination as the others.
    private static string AddressOf(Proxy proxy, MeshService service)
    {
        var addresses = service.Addresses.Select(address => address.Split('/')[0]).ToArray();
        return Array.Find(addresses, address => address.Contains(':', StringComparison.Ordinal) == proxy.IsIpv6Only) ?? addresses.FirstOrDefault() ?? Unspecified;
    }
}
