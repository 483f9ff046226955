using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Routes for connections that are not HTTP, where none of them can come to be.</summary>
internal static class TcpRouteAnalyzer
{
    public static void Analyze(ConfigResource resource, VirtualService spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (spec.Tcp.Count + spec.Tls.Count == 0 || (spec.Gateways.Count > 0 && !spec.Gateways.Contains("mesh")))
        {
            return;
        }

        var hosts = spec.Hosts.Select(host => Hostname.Resolve(host, resource.Namespace, config.ClusterDomain)).ToArray();
        var services = config.Services.Where(service => hosts.Any(host => Hostname.Covers(host, service.Host))).ToArray();
        if (services.Length == 0)
        {
            // That a host is nobody's is told of the host itself.
            return;
        }

        var ports = string.Join(", ", services.SelectMany(service => service.Ports).Select(port => $"{port.Number} {port.Protocol}").Distinct().Take(8));
        if (spec.Tcp.Count > 0 && !services.Any(service => service.Ports.Any(port => port.Protocol == PortProtocol.Tcp)))
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.NotApplied,
                "spec.tcp",
                $"applies to no port, since none of its hosts' is of protocol TCP (they have {ports}); declare the protocol of the port, or use http or tls");
        }

        if (spec.Tls.Count > 0 && !services.Any(service => service.Ports.Any(port => port.Protocol.IsTls())))
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.NotApplied,
                "spec.tls",
                $"applies to no port, since none of its hosts' is of protocol TLS or HTTPS (they have {ports}); declare the protocol of the port, or use http or tcp");
        }

        if (spec.Tcp.Count > 0)
        {
            AnalyzeSharedPorts(resource, services, config, diagnostics);
        }
    }

    /// <summary>Without an address of its own, a service is known by its port alone.</summary>
    private static void AnalyzeSharedPorts(ConfigResource resource, MeshService[] services, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var service in services.Where(service => service.Addresses.Count == 0))
        {
            foreach (var port in service.Ports.Where(port => port.Protocol == PortProtocol.Tcp))
            {
                var first = config.TcpListeners.TargetsAt("", port.Number, onOwnHost: false)
                    .First(target => target is { Port.Protocol: PortProtocol.Tcp, Subnet: null } && target.Service.Visibility.Overlaps(service.Visibility));
                if (!ReferenceEquals(first.Service, service))
                {
                    diagnostics.Warn(
                        resource,
                        DiagnosticCodes.NotApplied,
                        "spec.tcp",
                        $"does not apply to {service.Host} on port {port.Number}: {first.Service.Host} has the same port, and neither has an address, "
                        + "so that connections go by the rules of the older one; give them clusterIP or addresses, or different ports");
                }
            }
        }
    }
}
