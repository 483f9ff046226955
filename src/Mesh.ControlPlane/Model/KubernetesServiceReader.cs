using System.Globalization;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Validation;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Model;

/// <summary>A Kubernetes Service becomes a service of the mesh.</summary>
internal static class KubernetesServiceReader
{
    /// <summary>Istio reads a Service's <c>exportTo</c> from this annotation.</summary>
    private const string ExportToAnnotation = "networking.istio.io/exportTo";

    public static IReadOnlyList<MeshService> Services(ConfigResource source, ServiceSpec spec, string clusterDomain, MeshSettings mesh, ModelDiagnostics diagnostics)
    {
        var external = spec.Type == "ExternalName" ? spec.ExternalName.TrimEnd('.').ToLowerInvariant() : null;
        if (external is not null && spec.Ports.Count == 0 && !external.EndsWith($".svc.{clusterDomain}", StringComparison.Ordinal))
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.NotApplied,
                "spec.type",
                $"without ports nothing of {source.Name} can be called: name the ports of {external}");
        }

        var exportTo = source.Annotations.GetValueOrDefault(ExportToAnnotation, "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var target in exportTo.Where(target => target is not ("." or "*" or "~") && !DnsName.IsLowerLabel(target)))
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.NotApplied,
                $"metadata.annotations[\"{ExportToAnnotation}\"]",
                $"\"{target}\" is neither \".\" (this namespace), \"*\" (all), \"~\" (none) nor a namespace, so no client sees {source.Name} by it");
        }

        return
        [
            new MeshService
            {
                Host = Hostname.OfService(source.Name, source.Namespace, clusterDomain),
                Name = source.Name,
                Namespace = source.Namespace,
                Ports = [.. spec.Ports.Select(ToPort)],
                Addresses = external is null ? ServiceAddresses.Of([spec.ClusterIp, .. spec.ClusterIps]) : [],
                Selector = external is null && spec.Selector.Count > 0 ? new Dictionary<string, string>(spec.Selector, StringComparer.Ordinal) : null,
                StaticEndpoints = external is null ? [] : [ServiceEntryReader.HostItself(source, external)],
                Resolution = external is null ? ServiceResolution.Endpoints : ServiceResolution.Dns,
                IsExternal = external is not null,
                ExternalName = external,
                FailoverPriority = TrafficDistribution.Of(spec.TrafficDistribution, source.Annotations),
                Visibility = Visibility.Of(exportTo, source.Namespace, mesh.ServiceExportTo),
                Source = source,
            },
        ];
    }

    private static MeshServicePort ToPort(ServicePort port)
        => new(
            port.Name,
            (uint)port.Port,
            PortProtocols.OfKubernetes(port.Name, port.AppProtocol, port.Protocol, (uint)port.Port),
            port.TargetPort?.ValueCase switch
            {
                IntOrString.ValueOneofCase.IntVal when port.TargetPort.IntVal > 0 => port.TargetPort.IntVal.ToString(CultureInfo.InvariantCulture),
                IntOrString.ValueOneofCase.StrVal => port.TargetPort.StrVal,
                _ => "",
            });
}
