using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Validation;

internal static class ServiceEntryValidator
{
    public static readonly HashSet<string> Protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        "HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "HTTP-PROXY", "MONGO", "TCP", "TLS", "REDIS", "MYSQL", "UDP", "HBONE",
    };

    public static void Validate(ServiceEntry spec, ValidationContext context)
    {
        Hosts(spec, context);
        Addresses(spec, context);
        var names = Ports(spec, context);
        Endpoints(spec, names, context);
        FieldRules.ExportTo(spec.ExportTo, context);
        LabelValidator.Validate(spec.WorkloadSelector?.Labels ?? [], "workloadSelector.labels", context);
    }

    private static void Hosts(ServiceEntry spec, ValidationContext context)
    {
        if (spec.Hosts.Count == 0)
        {
            context.Error("hosts", "is required: name at least one host.");
        }

        for (var i = 0; i < spec.Hosts.Count; i++)
        {
            var host = spec.Hosts[i];
            if (host == "*")
            {
                context.Error($"hosts[{i}]", "\"*\" alone is not allowed in a ServiceEntry: name a domain, such as *.example.com.");
            }
            else if (!DnsName.IsWildcardHost(host) && !DnsName.IsAddress(host))
            {
                context.Error($"hosts[{i}]", $"\"{host}\" is not a host{LinkMarkup.Hint(host)}.");
            }
            else if (!host.TrimEnd('.').Contains('.', StringComparison.Ordinal) && !DnsName.IsAddress(host))
            {
                // The words of Istio's admission, which people search for.
                context.Error(
                    $"hosts[{i}]",
                    $"invalid host {host}: a name without a dot is completed with each caller's own domain and means another host for each; write it in full ({host}.example.com), or declare a Service.");
            }
            else if (host.StartsWith('*') && spec is { Resolution: ServiceEntry.Types.Resolution.Dns or ServiceEntry.Types.Resolution.DnsRoundRobin, Endpoints.Count: 0 })
            {
                context.Error($"hosts[{i}]", $"\"{host}\" cannot be resolved: give endpoints, or resolution NONE.");
            }
        }

        if (spec.Hosts.Count > 1
            && spec.Resolution != ServiceEntry.Types.Resolution.None
            && spec.Ports.Any(p => !p.Protocol.StartsWith("HTTP", StringComparison.OrdinalIgnoreCase)
                && !p.Protocol.StartsWith("GRPC", StringComparison.OrdinalIgnoreCase)
                && !p.Protocol.Equals("TLS", StringComparison.OrdinalIgnoreCase)))
        {
            context.Error("hosts", "several hosts cannot be told apart on ports that are neither HTTP nor TLS: write a ServiceEntry for each.");
        }
    }

    private static void Addresses(ServiceEntry spec, ValidationContext context)
    {
        for (var i = 0; i < spec.Addresses.Count; i++)
        {
            var address = spec.Addresses[i];
            if (!DnsName.IsSubnet(address))
            {
                context.Error($"addresses[{i}]", $"\"{address}\" is neither an IP address nor a CIDR.");
            }
            else if (address.Contains('/') && spec.Resolution is not (ServiceEntry.Types.Resolution.None or ServiceEntry.Types.Resolution.Static))
            {
                context.Error($"addresses[{i}]", "a CIDR is allowed only with resolution NONE or STATIC.");
            }
        }
    }

    private static HashSet<string> Ports(ServiceEntry spec, ValidationContext context)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<uint>();
        if (spec.Ports.Count == 0)
        {
            context.Error("ports", "is required: name at least one port.");
        }

        for (var i = 0; i < spec.Ports.Count; i++)
        {
            var port = spec.Ports[i];
            if (!DnsName.IsLabel(port.Name))
            {
                context.Error(
                    $"ports[{i}].name",
                    port.Name.Length == 0 ? "is required." : $"\"{port.Name}\" is not a port's name: letters, digits and '-', at most 63.");
            }
            else if (!names.Add(port.Name))
            {
                context.Error($"ports[{i}].name", $"the port name \"{port.Name}\" is given twice: rename one.");
            }

            FieldRules.Port(port.Number, $"ports[{i}].number", context);
            if (port.Number != 0 && !numbers.Add(port.Number))
            {
                context.Error($"ports[{i}].number", $"the port {port.Number} is given twice: keep one.");
            }

            if (port.TargetPort != 0)
            {
                FieldRules.Port(port.TargetPort, $"ports[{i}].targetPort", context);
            }

            // Empty asks for protocol detection.
            if (port.Protocol.Length > 0 && !Protocols.Contains(port.Protocol))
            {
                context.Error($"ports[{i}].protocol", $"\"{port.Protocol}\" is none of {string.Join(", ", Protocols)}.");
            }
        }

        return names;
    }

    private static void Endpoints(ServiceEntry spec, HashSet<string> ports, ValidationContext context)
    {
        var resolution = spec.Resolution;
        if (spec is { WorkloadSelector: not null, Endpoints.Count: > 0 })
        {
            context.Error("workloadSelector", "cannot be given beside endpoints: keep one.");
        }

        if (resolution is ServiceEntry.Types.Resolution.None or ServiceEntry.Types.Resolution.DynamicDns && spec.Endpoints.Count > 0)
        {
            context.Error("endpoints", $"are not allowed with resolution {(resolution == ServiceEntry.Types.Resolution.None ? "NONE" : "DYNAMIC_DNS")}: write resolution STATIC (addresses) or DNS (hosts).");
        }
        else if (resolution == ServiceEntry.Types.Resolution.Static && spec is { WorkloadSelector: null, Endpoints.Count: 0 })
        {
            context.Error("resolution", "STATIC needs endpoints or workloadSelector.");
        }
        else if (resolution == ServiceEntry.Types.Resolution.DnsRoundRobin && spec.Endpoints.Count > 1)
        {
            context.Error("endpoints", "resolution DNS_ROUND_ROBIN takes at most one endpoint.");
        }

        if (resolution is ServiceEntry.Types.Resolution.None or ServiceEntry.Types.Resolution.DynamicDns && spec.WorkloadSelector is not null)
        {
            context.NotApplied("workloadSelector", "accepted, but without effect: with resolution NONE or DYNAMIC_DNS requests go to the address that the caller means.");
        }

        for (var i = 0; i < spec.Endpoints.Count; i++)
        {
            var endpoint = spec.Endpoints[i];
            var path = $"endpoints[{i}]";
            EndpointRules.Validate(endpoint, path, context);
            var unix = EndpointRules.IsUnix(endpoint.Address);
            if (resolution == ServiceEntry.Types.Resolution.Static && !unix && DnsName.IsHost(endpoint.Address))
            {
                context.Error($"{path}.address", $"\"{endpoint.Address}\" is not an IP address: resolution STATIC takes addresses, DNS takes hosts.");
            }
            else if (unix && resolution != ServiceEntry.Types.Resolution.Static)
            {
                context.Error($"{path}.address", "a Unix socket needs resolution STATIC.");
            }
            else if (unix && spec.Ports.Count != 1)
            {
                context.Error($"{path}.address", "a Unix socket needs exactly one port in ports.");
            }

            foreach (var name in endpoint.Ports.Keys)
            {
                if (!ports.Contains(name))
                {
                    context.Error(
                        YamlPath.Append($"{path}.ports", name),
                        $"\"{name}\" is none of the ports above ({string.Join(", ", ports.Order(StringComparer.Ordinal))}).");
                }
            }
        }
    }
}
