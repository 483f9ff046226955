using System.Globalization;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>What statistics call a cluster (MeshConfig's <c>outboundClusterStatName</c>).</summary>
internal static class ClusterStatName
{
    /// <param name="pattern">A name with <c>%SERVICE%</c> and its like in it; empty for the cluster's own name.</param>
    /// <param name="service">The service.</param>
    /// <param name="port">Its port.</param>
    /// <param name="subset">Its subset; empty for all of it.</param>
    public static string Format(string pattern, MeshService service, MeshServicePort port, string subset)
        => !pattern.Contains('%', StringComparison.Ordinal) ? pattern : pattern
            .Replace("%SERVICE%", ShortHost(service), StringComparison.Ordinal)
            .Replace("%SERVICE_FQDN%", service.Host, StringComparison.Ordinal)
            .Replace("%SERVICE_NAME%", service.Name, StringComparison.Ordinal)
            .Replace("%SUBSET_NAME%", subset, StringComparison.Ordinal)
            .Replace("%SERVICE_PORT%", Number(port), StringComparison.Ordinal)
            .Replace("%SERVICE_PORT_NAME%", port.Name, StringComparison.Ordinal)
            .Replace("%TARGET_PORT%", port.TargetPort.Length > 0 ? port.TargetPort : Number(port), StringComparison.Ordinal);

    private static string Number(MeshServicePort port) => port.Number.ToString(CultureInfo.InvariantCulture);

    // As Istio has it: a Service's name and namespace, the host of whatever else.
    private static string ShortHost(MeshService service)
        => service.Name == service.Host ? service.Host : $"{service.Name}.{service.Namespace}";
}
