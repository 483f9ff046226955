using System.Globalization;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>A port that a workload listens on, and what of the mesh is served there.</summary>
/// <param name="Local">Its number, and those by which documents know it.</param>
/// <param name="Service">The oldest service that is served there; <see langword="null"/>: none.</param>
/// <param name="ServicePort">That service's port.</param>
internal sealed record InboundPort(LocalPort Local, MeshService? Service, MeshServicePort? ServicePort)
{
    /// <summary>Whether the application reads HTTP there; what nobody has declared is taken for HTTP, as this is what a server is.</summary>
    public bool IsHttp => ServicePort is null || ServicePort.Protocol.IsHttp() || ServicePort.Protocol == PortProtocol.Auto;

    /// <summary>The number that names of chains and routes carry.</summary>
    public uint Declared => Local.Declared is [var first, ..] ? first : Local.Number;

    public static InboundPort Of(Proxy proxy, ConfigIndex config, uint number)
    {
        (MeshService Service, MeshServicePort Port)? served = null;
        var declared = new List<uint>();
        foreach (var service in config.ServicesSelecting(proxy.Namespace, proxy.Labels))
        {
            foreach (var port in service.Ports)
            {
                if (port.Protocol == PortProtocol.Udp || !Serves(proxy, service, port, number))
                {
                    continue;
                }

                served ??= (service, port);
                if (!declared.Contains(TargetOf(port)))
                {
                    declared.Add(TargetOf(port));
                }
            }
        }

        return new InboundPort(new LocalPort(number, declared), served?.Service, served?.Port);
    }

    /// <summary>The number that a service's port has at its workloads, as documents speak of it.</summary>
    public static uint TargetOf(MeshServicePort port)
        => uint.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out var target) ? target : port.Number;

    private static bool Serves(Proxy proxy, MeshService service, MeshServicePort port, uint number)
    {
        if (proxy.Workload is { } workload)
        {
            return workload.AddressFor(service, port)?.Port == number;
        }

        // Nothing is announced before a server has opened its ports; policies are asked for earlier, and the only port of a service can be no other.
        return TargetOf(port) == number || (proxy.Kind == ProxyKind.Mesh && service.Ports.Count == 1);
    }
}
