using Envoy.Extensions.Clusters.OriginalDst.V3;
using Envoy.Type.Metadata.V3;
using Google.Protobuf;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace Mesh.DataPlane.OriginalDst;

/// <summary>Decodes clusters whose hosts are the addresses that callers ask for: by <c>type</c> and <c>original_dst_lb_config</c>, or by a <c>cluster_type</c>.</summary>
internal static class OriginalDestinationCompiler
{
    private const string DefaultHeader = "x-envoy-original-dst-host";

    private static readonly TimeSpan DefaultCleanupInterval = TimeSpan.FromSeconds(5);

    // What Istio asks of DNS clusters; original destinations have no settings of their own, since Envoy never sees a name.
    private static readonly TimeSpan RefreshRate = TimeSpan.FromSeconds(60);
    private static readonly DnsFailureRefreshRate FailureRefreshRate = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));

    /// <summary>Puts it into the cluster's policy, where the cluster is one of those.</summary>
    /// <param name="policy">The policy with its load balancing.</param>
    /// <param name="message">The cluster.</param>
    /// <param name="notes">Receives what is carried and not done.</param>
    /// <exception cref="ResourceRejectedException">It contradicts itself.</exception>
    public static ClusterPolicy Compile(ClusterPolicy policy, Cluster message, ICollection<string> notes)
    {
        var settings = message switch
        {
            { ClusterType.TypedConfig: { } config } when config.Is(OriginalDstCluster.Descriptor) => OfClusterType(message, config.Value, notes),
            { ClusterDiscoveryTypeCase: Cluster.ClusterDiscoveryTypeOneofCase.Type, Type: Cluster.Types.DiscoveryType.OriginalDst } => OfFields(message),
            _ => null,
        };
        var path = message.LoadBalancingPolicy is null ? "lb_policy" : "load_balancing_policy";
        if (settings is null)
        {
            return policy.LoadBalancing is ClusterProvided
                ? throw new ResourceRejectedException(path, "CLUSTER_PROVIDED is for clusters of type ORIGINAL_DST: this one provides no load balancing of its own")
                : policy;
        }

        if (policy.LoadBalancing is not ClusterProvided)
        {
            throw new ResourceRejectedException(path, "must be CLUSTER_PROVIDED in a cluster of type ORIGINAL_DST, which sends to the address that was asked for and balances nothing");
        }

        if (message.LoadAssignment is not null)
        {
            throw new ResourceRejectedException("load_assignment", "must not be set in a cluster of type ORIGINAL_DST, whose endpoints are the addresses that callers ask for");
        }

        // A host that nobody asks for any more is checked no longer, however healthy it is.
        return policy with { OriginalDestination = settings, IgnoreHealthOnHostRemoval = true };
    }

    private static OriginalDestinationSettings OfFields(Cluster message)
    {
        const string Path = "original_dst_lb_config";
        var config = message.OriginalDstLbConfig;
        return Create(message, config?.UseHttpHeader ?? false, config?.HttpHeaderName ?? "", config?.UpstreamPortOverride, config?.MetadataKey, Path);
    }

    private static OriginalDestinationSettings OfClusterType(Cluster message, ByteString body, ICollection<string> notes)
    {
        const string Path = "cluster_type.typed_config";
        var config = WireMessage.Parse(OriginalDstCluster.Parser, body, Path);
        foreach (var note in WireMessage.Validate(config, body, OriginalDstCluster.Parser, Path))
        {
            notes.Add(note);
        }

        return Create(message, config.UseHttpHeader, config.HttpHeaderName, config.UpstreamPortOverride, config.MetadataKey, Path);
    }

    private static OriginalDestinationSettings Create(Cluster message, bool useHeader, string header, uint? port, MetadataKey? metadata, string path)
    {
        if (header.Length > 0 && !useHeader)
        {
            throw new ResourceRejectedException($"{path}.http_header_name", "must not be set without use_http_header");
        }

        if (header.Length > 0 && header != ":authority" && !HeaderName.IsValid(header))
        {
            throw new ResourceRejectedException($"{path}.http_header_name", $"'{header}' is not the name of a header");
        }

        return new OriginalDestinationSettings(
            useHeader ? new HeaderName(header.Length > 0 ? header : DefaultHeader) : null,
            (int?)port,
            message.CleanupInterval?.ToTimeSpan() ?? DefaultCleanupInterval,
            new DnsClusterSettings(
                IsLogical: true,
                Family(message.DnsLookupFamily),
                UseTcp: false,
                RefreshRate,
                RespectTimeToLive: true,
                MinRefreshRate: TimeSpan.Zero,
                Jitter: TimeSpan.Zero,
                FailureRefreshRate,
                ByteString.Empty))
        {
            Metadata = metadata is null ? null : new DynamicMetadata(metadata.Key, [.. metadata.Path.Select(s => s.Key)]),
        };
    }

    // The default, AUTO, would give an IPv6 address wherever there is one; the caller's own connection would have fallen back to IPv4.
    private static DnsLookupFamily Family(Cluster.Types.DnsLookupFamily family)
        => family switch
        {
            Cluster.Types.DnsLookupFamily.V4Only => DnsLookupFamily.V4Only,
            Cluster.Types.DnsLookupFamily.V6Only => DnsLookupFamily.V6Only,
            _ => DnsLookupFamily.V4Preferred,
        };
}
