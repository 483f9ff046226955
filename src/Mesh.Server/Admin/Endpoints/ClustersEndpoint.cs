using System.Globalization;
using System.Net;
using System.Text;
using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>Clusters with their endpoints, their health and what is on its way: as Envoy writes them, for programs and for people.</summary>
internal sealed class ClustersEndpoint() : AdminEndpoint("/clusters", "Clusters")
{
    public override async Task GetAsync(AdminRequest request)
    {
        var (isGood, filter) = await request.PatternAsync("filter").ConfigureAwait(false);
        if (!isGood)
        {
            return;
        }

        var clusters = EngineDump.ClustersOf(request.Engine, request.Time).Where(c => filter is null || filter.IsPartialMatch(c.Name)).ToList();
        await (request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new { cluster_statuses = clusters.Select(Status) }),
            AdminFormat.Html => request.WritePageAsync("Clusters", ClusterPieces.Of(clusters)),
            _ => request.WriteTextAsync(Lines(clusters)),
        }).ConfigureAwait(false);
    }

    private static string Lines(List<ClusterDump> clusters)
    {
        var text = new StringBuilder();
        foreach (var cluster in clusters)
        {
            Line($"observability_name::{cluster.Name}");
            foreach (var breaker in cluster.CircuitBreakers)
            {
                Line($"{breaker.Priority}_priority::max_connections::{breaker.MaxConnections}");
                Line($"{breaker.Priority}_priority::max_pending_requests::{breaker.MaxPendingRequests}");
                Line($"{breaker.Priority}_priority::max_requests::{breaker.MaxRequests}");
                Line($"{breaker.Priority}_priority::max_retries::{breaker.MaxRetries}");
            }

            Line($"added_via_api::true");
            foreach (var endpoint in cluster.Endpoints)
            {
                var (region, zone, subZone) = Locality(endpoint);
                foreach (var line in (IEnumerable<FormattableString>)
                    [
                        $"cx_active::{endpoint.ActiveConnections}",
                        $"rq_active::{endpoint.ActiveRequests}",
                        .. endpoint.Counters.Select(c => (FormattableString)$"{c.Key}::{c.Value}"),
                        $"hostname::{endpoint.Hostname}",
                        $"health_flags::{(endpoint.HealthFlags.Count == 0 ? "healthy" : "/" + string.Join('/', endpoint.HealthFlags))}",
                        $"weight::{endpoint.Weight}",
                        $"region::{region}",
                        $"zone::{zone}",
                        $"sub_zone::{subZone}",
                        $"canary::false",
                        $"priority::{endpoint.Priority}",
                        $"success_rate::{endpoint.SuccessRate ?? -1}",
                        $"local_origin_success_rate::{endpoint.LocalOriginSuccessRate ?? -1}",
                    ])
                {
                    Line($"{endpoint.Address}::{FormattableString.Invariant(line)}");
                }
            }

            void Line(FormattableString line) => text.Append(OneLine(cluster.Name)).Append("::").Append(OneLine(line.ToString(CultureInfo.InvariantCulture))).Append('\n');
        }

        return text.ToString();
    }

    // Whatever a control plane calls things, each stays on its line.
    private static string OneLine(string text) => text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 ? text : text.ReplaceLineEndings(" ").Replace('\0', ' ');

    private static object Status(ClusterDump cluster) => new
    {
        name = cluster.Name,
        observability_name = cluster.Name,
        added_via_api = true,
        circuit_breakers = new
        {
            thresholds = cluster.CircuitBreakers.Select(b => new
            {
                priority = b.Priority == "high" ? "HIGH" : null,
                max_connections = b.MaxConnections,
                max_pending_requests = b.MaxPendingRequests,
                max_requests = b.MaxRequests,
                max_retries = b.MaxRetries,
            }),
        },
        host_statuses = cluster.Endpoints.Select(Status),

        // What Envoy's answer does not have.
        status = cluster.Status,
        version = cluster.Version,
        error = cluster.Error,
        load_balancing = cluster.LoadBalancing,
        transport = cluster.Transport,
        usage = cluster.CircuitBreakers,
        shares = cluster.Shares,
        counters = cluster.Counters,
        ejected_hosts = cluster.EjectedHosts,
    };

    private static object Status(EndpointDump endpoint)
    {
        var health = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var flag in endpoint.HealthFlags.Where(f => !f.Contains("eds", StringComparison.Ordinal)))
        {
            // The message's fields are called otherwise than the flags.
            health[flag switch { "failed_active_hc" => "failed_active_health_check", "degraded_active_hc" => "failed_active_degraded_check", _ => flag }] = true;
        }

        health["eds_health_status"] = endpoint.EdsHealth;
        var (region, zone, subZone) = Locality(endpoint);
        return new
        {
            address = IPEndPoint.TryParse(endpoint.Address, out var address)
                ? (object)new { socket_address = new { address = address.Address.ToString(), port_value = address.Port } }
                : new { pipe = new { path = endpoint.Address } },
            stats = endpoint.Counters.Select(c => Stat(c.Key, "COUNTER", c.Value)).Append(Stat("cx_active", "GAUGE", endpoint.ActiveConnections)).Append(Stat("rq_active", "GAUGE", endpoint.ActiveRequests)),
            health_status = health,
            weight = endpoint.Weight,
            hostname = endpoint.Hostname,
            priority = endpoint.Priority,
            locality = new { region, zone, sub_zone = subZone },
            success_rate = endpoint.SuccessRate is { } rate ? new { value = rate } : null,
            local_origin_success_rate = endpoint.LocalOriginSuccessRate is { } local ? new { value = local } : null,

            // What Envoy's answer does not have.
            health = endpoint.Health,
            ejection = endpoint.Ejection,
            ejections = endpoint.Ejections,
            transport = endpoint.Transport,
            labels = endpoint.Labels,
        };
    }

    // As protobuf has it, 64 bits are text.
    private static object Stat(string name, string type, long value) => new { name, type, value = value.ToString(CultureInfo.InvariantCulture) };

    private static (string Region, string Zone, string SubZone) Locality(EndpointDump endpoint)
    {
        var parts = endpoint.Locality.Split('/', 3);
        return (parts[0], parts.ElementAtOrDefault(1) ?? "", parts.ElementAtOrDefault(2) ?? "");
    }
}
