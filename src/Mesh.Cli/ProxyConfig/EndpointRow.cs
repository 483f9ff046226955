using System.Globalization;
using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;

namespace Mesh.Cli.ProxyConfig;

/// <summary>One endpoint of one cluster.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Port">Its port; 0 for a Unix socket.</param>
/// <param name="Status">Whether it may be called.</param>
/// <param name="OutlierCheck">Whether its failures have taken it out; empty: only the process itself knows.</param>
/// <param name="Cluster">Whose it is.</param>
internal sealed record EndpointRow(string Address, uint Port, string Status, string OutlierCheck, string Cluster)
{
    public string Endpoint => Port == 0 ? Address
        : Address.Contains(':', StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $"[{Address}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");

    /// <summary>Those that a control plane has sent.</summary>
    public static IEnumerable<EndpointRow> Of(ClusterLoadAssignment assignment)
        => from locality in assignment.Endpoints
           from endpoint in locality.LbEndpoints
           let address = endpoint.Endpoint?.Address
           select new EndpointRow(
               address?.SocketAddress?.Address ?? address?.Pipe?.Path ?? "",
               address?.SocketAddress?.PortValue ?? 0,
               endpoint.HealthStatus is HealthStatus.Unknown or HealthStatus.Healthy or HealthStatus.Degraded ? "HEALTHY" : endpoint.HealthStatus.ToString().ToUpperInvariant(),
               "",
               assignment.ClusterName);

    /// <summary>Those that a process has, with what it thinks of them: Envoy's <c>/clusters?format=json</c>.</summary>
    public static IEnumerable<EndpointRow> Of(JsonNode clusters)
    {
        foreach (var cluster in (clusters["cluster_statuses"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var name = cluster["name"]?.ToString() ?? "";
            foreach (var host in (cluster["host_statuses"] as JsonArray ?? []).OfType<JsonObject>())
            {
                var socket = host["address"]?["socket_address"];
                var health = host["health_status"];
                var failed = IsTrue(health?["failed_active_health_check"]) || IsTrue(health?["failed_active_hc"]);
                var ejected = IsTrue(health?["failed_outlier_check"]);
                var eds = health?["eds_health_status"]?.ToString() ?? "";
                yield return new EndpointRow(
                    socket?["address"]?.ToString() ?? host["address"]?["pipe"]?["path"]?.ToString() ?? "",
                    uint.TryParse(socket?["port_value"]?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0,
                    failed || eds.ToUpperInvariant() is "UNHEALTHY" or "DRAINING" or "TIMEOUT" ? "UNHEALTHY" : "HEALTHY",
                    ejected ? "FAILED" : "OK",
                    name);
            }
        }
    }

    private static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;
}
