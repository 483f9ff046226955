namespace Mesh.Xds.Ads;

/// <summary>A service that speaks the xDS protocol: the paths of its two methods.</summary>
/// <param name="Stream">The state-of-the-world variant.</param>
/// <param name="Delta">The incremental one.</param>
internal sealed record DiscoveryMethods(string Stream, string Delta)
{
    /// <summary>All kinds of resources on one stream (ADS).</summary>
    public static DiscoveryMethods Aggregated { get; } = new(
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources", "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources");

    /// <summary>Secrets alone (SDS), as agents on a workload's machine serve them.</summary>
    public static DiscoveryMethods Secrets { get; } = new("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets");
}
