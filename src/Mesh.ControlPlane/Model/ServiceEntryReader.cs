using System.Net;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>ServiceEntry and WorkloadEntry documents become services and instances.</summary>
internal static class ServiceEntryReader
{
    /// <summary>One service per host. Only STATIC resolution is served now; a host of another resolution stays outside the mesh and is reported.</summary>
    public static IReadOnlyList<MeshService> Services(ConfigResource source, ServiceEntry spec, ModelDiagnostics diagnostics)
    {
        if (spec.Resolution != ServiceEntry.Types.Resolution.Static)
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.NotApplied,
                "spec.resolution",
                $"resolution {JsonName(spec.Resolution)} is not served yet: {string.Join(", ", spec.Hosts)} stays outside the mesh; use STATIC with endpoints");
            return [];
        }

        var ports = spec.Ports
            .Select(port => new MeshServicePort(
                port.Name,
                port.Number,
                PortProtocols.Parse(port.Protocol),
                port.TargetPort == 0 ? "" : port.TargetPort.ToString(System.Globalization.CultureInfo.InvariantCulture)))
            .ToArray();
        var endpoints = Endpoints(source, spec, diagnostics);
        var visibility = Visibility.Of(spec.ExportTo, source.Namespace);
        return
        [
            .. spec.Hosts.Distinct().Select(host => new MeshService
            {
                Host = host.ToLowerInvariant(),
                Name = host,
                Namespace = source.Namespace,
                Ports = ports,
                Selector = spec.WorkloadSelector is { Labels.Count: > 0 } selector ? new Dictionary<string, string>(selector.Labels) : null,
                StaticEndpoints = endpoints,
                Visibility = visibility,
                Source = source,
            }),
        ];
    }

    /// <summary>A WorkloadEntry, or <see langword="null"/> when its address is none that EDS can carry.</summary>
    public static WorkloadInstance? Instance(ConfigResource source, WorkloadEntry spec, ModelDiagnostics diagnostics)
        => Instance($"workload-entry/{source.Namespace}/{source.Name}", source, source.Name, spec, "spec", diagnostics);

    private static List<WorkloadInstance> Endpoints(ConfigResource source, ServiceEntry spec, ModelDiagnostics diagnostics)
    {
        var endpoints = new List<WorkloadInstance>(spec.Endpoints.Count);
        for (var i = 0; i < spec.Endpoints.Count; i++)
        {
            var id = $"service-entry/{source.Namespace}/{source.Name}/{i:D5}";
            if (Instance(id, source, source.Name, spec.Endpoints[i], $"spec.endpoints[{i}]", diagnostics) is { } instance)
            {
                endpoints.Add(instance);
            }
        }

        return endpoints;
    }

    private static WorkloadInstance? Instance(string id, ConfigResource source, string name, WorkloadEntry spec, string path, ModelDiagnostics diagnostics)
    {
        if (!IPAddress.TryParse(spec.Address, out var address))
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.NotApplied,
                $"{path}.address",
                $"\"{spec.Address}\" is no IP address and is left out: endpoints of a STATIC service are addresses, names need DNS resolution");
            return null;
        }

        return new WorkloadInstance
        {
            Id = id,
            Name = name,
            Namespace = source.Namespace,
            Labels = LabelsOf(source, spec),
            ServiceAccount = spec.ServiceAccount,
            Locality = MeshLocality.Parse(spec.Locality.Length > 0 ? spec.Locality : spec.Labels.GetValueOrDefault("istio-locality")?.Replace('.', '/')),
            Weight = Math.Max(1, spec.Weight),
            Address = address.ToString(),
            Ports = new Dictionary<string, uint>(spec.Ports, StringComparer.Ordinal),
        };
    }

    /// <summary>A WorkloadEntry is selected by the labels in its spec; those of its metadata count as well, as in Istio.</summary>
    private static Dictionary<string, string> LabelsOf(ConfigResource source, WorkloadEntry spec)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        if (source.Spec is WorkloadEntry)
        {
            foreach (var (key, value) in source.Labels)
            {
                labels[key] = value;
            }
        }

        foreach (var (key, value) in spec.Labels)
        {
            labels[key] = value;
        }

        return labels;
    }

    private static string JsonName(ServiceEntry.Types.Resolution resolution) => resolution switch
    {
        ServiceEntry.Types.Resolution.None => "NONE",
        ServiceEntry.Types.Resolution.Dns => "DNS",
        ServiceEntry.Types.Resolution.DnsRoundRobin => "DNS_ROUND_ROBIN",
        ServiceEntry.Types.Resolution.DynamicDns => "DYNAMIC_DNS",
        _ => resolution.ToString(),
    };
}
