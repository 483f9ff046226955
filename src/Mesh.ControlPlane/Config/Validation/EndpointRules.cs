using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Rules of a workload's address, ports and labels, as an entry of its own or inside a ServiceEntry.</summary>
internal static class EndpointRules
{
    public static bool IsUnix(string address) => address.StartsWith(NetworkAddress.UnixPrefix, StringComparison.Ordinal);

    public static void Validate(WorkloadEntry entry, string path, ValidationContext context)
    {
        var address = At(path, "address");
        if (entry.Address.Length == 0)
        {
            if (entry.Network.Length == 0)
            {
                context.Error(address, "is required: an IP address, a host, or unix:///path.");
            }
        }
        else if (IsUnix(entry.Address))
        {
            var socket = entry.Address.AsSpan(NetworkAddress.UnixPrefix.Length);
            if (!socket.StartsWith("/") && !socket.StartsWith("@"))
            {
                context.Error(address, "must name an absolute path (unix:///path) or an abstract socket (unix://@name).");
            }

            if (entry.Ports.Count > 0)
            {
                context.Error(At(path, "ports"), "a Unix socket has no ports: remove them.");
            }
        }
        else if (!DnsName.IsAddress(entry.Address) && !DnsName.IsHost(entry.Address))
        {
            context.Error(address, $"\"{entry.Address}\" is neither an IP address, nor a host, nor unix:///path.");
        }

        foreach (var (name, port) in entry.Ports)
        {
            var at = YamlPath.Append(At(path, "ports"), name);
            if (!DnsName.IsLabel(name))
            {
                context.Error(at, $"\"{name}\" is not a port's name: letters, digits and '-', at most 63.");
            }

            FieldRules.Port(port, at, context);
        }

        LabelValidator.Validate(entry.Labels, At(path, "labels"), context);
    }

    private static string At(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
