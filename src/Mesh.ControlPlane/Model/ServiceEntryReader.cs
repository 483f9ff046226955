using System.Net;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Model;

/// <summary>ServiceEntry and WorkloadEntry documents become services and instances.</summary>
internal static class ServiceEntryReader
{
    /// <summary>One service per host.</summary>
    public static IReadOnlyList<MeshService> Services(ConfigResource source, ServiceEntry spec, MeshSettings mesh, ModelDiagnostics diagnostics)
    {
        var resolution = ResolutionOf(spec.Resolution);
        var ports = spec.Ports
            .Select(port => new MeshServicePort(
                port.Name,
                port.Number,
                PortProtocols.Parse(port.Protocol),
                port.TargetPort == 0 ? "" : port.TargetPort.ToString(System.Globalization.CultureInfo.InvariantCulture)))
            .ToArray();
        var endpoints = Endpoints(source, spec, diagnostics);
        var resolvesHost = resolution is ServiceResolution.Dns or ServiceResolution.DnsRoundRobin && spec.Endpoints.Count == 0 && spec.WorkloadSelector is null;
        var addresses = ServiceAddresses.Of(spec.Addresses);
        var visibility = Visibility.Of(spec.ExportTo, source.Namespace, mesh.ServiceExportTo);
        return
        [
            .. spec.Hosts.Distinct().Select(host => new MeshService
            {
                Host = host.ToLowerInvariant(),
                Name = host,
                Namespace = source.Namespace,
                Ports = ports,
                Addresses = addresses,
                Selector = spec.WorkloadSelector is { Labels.Count: > 0 } selector ? new Dictionary<string, string>(selector.Labels) : null,
                StaticEndpoints = resolvesHost ? [HostItself(source, host.ToLowerInvariant())] : endpoints,
                Resolution = resolution,
                IsExternal = spec.Location == ServiceEntry.Types.Location.MeshExternal,
                SubjectAltNames = [.. spec.SubjectAltNames.Distinct()],
                FailoverPriority = TrafficDistribution.Of("", source.Annotations),
                Visibility = visibility,
                Source = source,
            }),
        ];
    }

    /// <summary>The endpoint of a service that DNS knows by its own name.</summary>
    public static WorkloadInstance HostItself(ConfigResource source, string host) => new()
    {
        Id = $"dns/{source.Namespace}/{source.Name}/{host}",
        Name = source.Name,
        Namespace = source.Namespace,
        Labels = new Dictionary<string, string>(),
        Address = host,
        IsNamed = true,
    };

    /// <summary>A WorkloadEntry, or <see langword="null"/> when it has no address.</summary>
    public static WorkloadInstance? Instance(ConfigResource source, WorkloadEntry spec, ModelDiagnostics diagnostics)
        => Instance(IdOf(source), source, source.Name, spec, "spec", diagnostics);

    /// <summary>The id of the instance that a WorkloadEntry is.</summary>
    public static string IdOf(ConfigResource workloadEntry) => $"workload-entry/{workloadEntry.Namespace}/{workloadEntry.Name}";

    private static List<WorkloadInstance> Endpoints(ConfigResource source, ServiceEntry spec, ModelDiagnostics diagnostics)
    {
        var ports = spec.Ports.Select(port => port.Number).ToHashSet();
        var endpoints = new List<WorkloadInstance>(spec.Endpoints.Count);
        for (var i = 0; i < spec.Endpoints.Count; i++)
        {
            var id = $"service-entry/{source.Namespace}/{source.Name}/{i:D5}";
            if (Instance(id, source, source.Name, spec.Endpoints[i], $"spec.endpoints[{i}]", diagnostics, ports) is { } instance)
            {
                endpoints.Add(instance);
            }
        }

        return endpoints;
    }

    private static WorkloadInstance? Instance(string id, ConfigResource source, string name, WorkloadEntry spec, string path, ModelDiagnostics diagnostics, IReadOnlySet<uint>? ports = null)
    {
        if (spec.Address.Length == 0)
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.NotApplied,
                $"{path}.address",
                "without an address it can only be reached through the gateway of its network, which is not supported; it is left out");
            return null;
        }

        var isNamed = !IPAddress.TryParse(spec.Address, out var address) && !EndpointRules.IsUnix(spec.Address);
        return new WorkloadInstance
        {
            Id = id,
            Name = name,
            Namespace = source.Namespace,
            Labels = LabelsOf(source, spec),
            ServiceAccount = spec.ServiceAccount,
            Locality = spec.Locality.Length > 0 ? MeshLocality.Parse(spec.Locality) : MeshLocality.OfLabels(LabelsOf(source, spec)),
            Weight = Math.Max(1, spec.Weight),
            Address = address?.ToString() ?? (isNamed ? spec.Address.ToLowerInvariant() : spec.Address),
            IsNamed = isNamed,
            Ports = new Dictionary<string, uint>(spec.Ports, StringComparer.Ordinal),
            ServedPorts = ports,
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

    /// <remarks>With DYNAMIC_DNS the name of each request is resolved; so it is with NONE, wherever no address is known yet.</remarks>
    private static ServiceResolution ResolutionOf(ServiceEntry.Types.Resolution resolution) => resolution switch
    {
        ServiceEntry.Types.Resolution.Static => ServiceResolution.Endpoints,
        ServiceEntry.Types.Resolution.Dns => ServiceResolution.Dns,
        ServiceEntry.Types.Resolution.DnsRoundRobin => ServiceResolution.DnsRoundRobin,
        _ => ServiceResolution.None,
    };
}
