using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;

namespace Mesh.Xds.Serving;

/// <summary>The ADS server engine: no sockets, only streams.</summary>
internal interface IAdsServer
{
    /// <summary>Serves one state-of-the-world stream until it ends.</summary>
    Task ServeAsync(IAdsCall<DiscoveryResponse, DiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken);

    /// <summary>Serves one incremental stream until it ends.</summary>
    Task ServeDeltaAsync(IAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest> call, CallerCredentials caller, CancellationToken cancellationToken);

    /// <summary>The backend's model changed: every connection recomputes what it has subscribed of it. Never blocks.</summary>
    /// <returns>The number of this push, for <see cref="WhenAcknowledgedAsync"/>.</returns>
    long Push(AdsChange change);

    /// <summary>
    /// Completes when every connection open now has been sent what follows from push <paramref name="epoch"/> and has acknowledged it
    /// (ACK or NACK), including what it subscribed to because of it; connections that go away count as done.
    /// </summary>
    Task WhenAcknowledgedAsync(long epoch, CancellationToken cancellationToken);

    /// <summary>The open streams and what is known of each.</summary>
    IReadOnlyList<AdsConnectionStatus> Connections { get; }

    /// <summary>Every resource that one open stream (<see cref="AdsConnectionInfo.Id"/>) has subscribed to or was sent; empty when it has ended.</summary>
    IReadOnlyList<AdsResourceStatus> ResourcesOf(long connection) => [];
}
