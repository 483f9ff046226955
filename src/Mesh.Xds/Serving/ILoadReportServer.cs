using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Serving;

/// <summary>Takes load reports (Envoy's <c>LoadReportingService</c>): no sockets, only streams.</summary>
internal interface ILoadReportServer
{
    /// <summary>Serves one stream until it ends.</summary>
    /// <exception cref="Grpc.RpcException">The client is not let in, or broke a rule.</exception>
    Task ServeAsync(IAdsCall<LoadStatsResponse, LoadStatsRequest> call, AdsConnectionInfo connection, CancellationToken cancellationToken);
}
