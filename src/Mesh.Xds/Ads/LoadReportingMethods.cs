using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Ads;

/// <summary>Envoy's <c>LoadReportingService</c>.</summary>
internal static class LoadReportingMethods
{
    /// <summary>The path of its one method.</summary>
    public const string Stream = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";

    /// <summary>The feature by which a client says that it understands <c>send_all_clusters</c>.</summary>
    public const string SendAllClusters = "envoy.lrs.supports_send_all_clusters";

    /// <summary>The names of <c>load_metric_stats</c> that only Mesh's clients send, and only to Mesh's own control plane.</summary>
    public const string OwnMetrics = "mesh.";

    public static GrpcMethod<LoadStatsRequest, LoadStatsResponse> StreamMethod { get; } = new(Stream, LoadStatsResponse.Parser);
}
