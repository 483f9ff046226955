namespace Mesh.Peers.Tests.Prometheus;

/// <summary>What Kiali asks Prometheus for its graph of a namespace, in its own words.</summary>
internal static class KialiGraph
{
    /// <summary>The labels that a row must have, or Kiali leaves it out.</summary>
    public static readonly string[] Labels =
    [
        "source_cluster", "source_workload_namespace", "source_workload", "source_canonical_service", "source_canonical_revision",
        "destination_cluster", "destination_service_namespace", "destination_service", "destination_service_name", "destination_workload_namespace",
        "destination_workload", "destination_canonical_service", "destination_canonical_revision",
    ];

    public static readonly string[] HttpLabels = [.. Labels, "request_protocol", "response_code", "grpc_response_status", "response_flags"];

    public static readonly string[] TcpLabels = [.. Labels, "response_flags"];

    public static readonly string[] SecurityLabels = [.. Labels, "source_principal", "destination_principal", "connection_security_policy"];

    /// <summary>Requests of those whom the mesh does not know.</summary>
    public static string FromUnknown(string @namespace, string window, string metric = "istio_requests_total")
        => Sum($"{metric}{{reporter=\"destination\",source_workload=\"unknown\",destination_workload_namespace=\"{@namespace}\"}}", window, Of(metric));

    /// <summary>Requests of workloads of other namespaces.</summary>
    public static string FromOutside(string @namespace, string window, string metric = "istio_requests_total")
        => Sum($"{metric}{{reporter=\"source\",source_workload_namespace!=\"{@namespace}\",source_workload!=\"unknown\",destination_service_namespace=\"{@namespace}\"}}", window, Of(metric));

    /// <summary>Requests of the namespace's own workloads.</summary>
    public static string FromInside(string @namespace, string window, string metric = "istio_requests_total")
        => Sum($"{metric}{{reporter=\"source\",source_workload_namespace=\"{@namespace}\"}}", window, Of(metric));

    /// <summary>The same as those who were asked tell it.</summary>
    public static string Served(string @namespace, string window, string metric = "istio_requests_total")
        => Sum($"{metric}{{reporter=\"destination\",source_workload_namespace=\"{@namespace}\"}}", window, Of(metric));

    /// <summary>The padlocks.</summary>
    public static string Security(string @namespace, string window)
        => $"({Sum($"istio_requests_total{{reporter=\"destination\",source_workload_namespace=\"{@namespace}\"}}", window, SecurityLabels)} > 0) OR "
            + $"({Sum($"istio_tcp_sent_bytes_total{{reporter=\"destination\",source_workload_namespace=\"{@namespace}\"}}", window, SecurityLabels)} > 0)";

    /// <summary>The times at the edges.</summary>
    public static string ResponseTime(string @namespace, string window)
        => $"histogram_quantile(0.95, {Sum($"istio_request_duration_milliseconds_bucket{{reporter=\"source\",source_workload_namespace=\"{@namespace}\"}}", window, ["le", .. Labels, "request_protocol"])}) > 0";

    /// <summary>The bytes at the edges.</summary>
    public static string Throughput(string @namespace, string window, string of)
        => $"{Sum($"istio_{of}_bytes_sum{{reporter=\"{(of == "request" ? "source" : "destination")}\",source_workload_namespace=\"{@namespace}\"}}", window, Labels)} > 0";

    private static string[] Of(string metric) => metric.Contains("_tcp_", StringComparison.Ordinal) ? TcpLabels : HttpLabels;

    private static string Sum(string selector, string window, string[] labels) => $"sum(rate({selector} [{window}])) by ({string.Join(',', labels)})";
}
