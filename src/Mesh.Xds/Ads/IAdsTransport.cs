using Envoy.Service.Discovery.V3;
using Envoy.Service.LoadStats.V3;

namespace Mesh.Xds.Ads;

/// <summary>A way to an ADS server: gRPC over a socket, or the server engine in the same process.</summary>
internal interface IAdsTransport : IAsyncDisposable
{
    /// <summary>The server as the user wrote it, for logs and errors.</summary>
    string Target { get; }

    /// <summary>Opens the state-of-the-world stream (<c>StreamAggregatedResources</c>).</summary>
    ValueTask<IAdsCall<DiscoveryRequest, DiscoveryResponse>> OpenStreamAsync(CancellationToken cancellationToken);

    /// <summary>Opens the incremental stream (<c>DeltaAggregatedResources</c>).</summary>
    ValueTask<IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> OpenDeltaStreamAsync(CancellationToken cancellationToken);

    /// <summary>Opens a stream for load reports (<c>StreamLoadStats</c>).</summary>
    /// <exception cref="Grpc.RpcException">UNIMPLEMENTED: the server takes none.</exception>
    ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
        => throw new Grpc.RpcException(Grpc.StatusCode.Unimplemented, $"'{Target}' takes no load reports");
}
