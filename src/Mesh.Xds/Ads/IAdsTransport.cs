using Envoy.Service.Discovery.V3;

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
}
