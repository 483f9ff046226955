using Envoy.Extensions.Clusters.Dns.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using TypedFamily = Envoy.Extensions.Clusters.Common.Dns.V3.DnsLookupFamily;

namespace Mesh.DataPlane.Dns;

/// <summary>Decodes how a cluster finds its endpoints by name: by its <c>type</c> and fields of its own, or by a <c>cluster_type</c>.</summary>
internal static class DnsClusterCompiler
{
    private const int DefaultMaxFactor = 10;

    // Resolvers that ask the operating system or its configuration, which is what this one does.
    private static readonly string[] SameResolvers =
    [
        "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig",
        "envoy.extensions.network.dns_resolver.apple.v3.AppleDnsResolverConfig",
    ];

    private static readonly TimeSpan DefaultRefreshRate = TimeSpan.FromSeconds(5);

    /// <param name="message">The cluster.</param>
    /// <param name="notes">Receives what is carried and not known.</param>
    /// <returns><see langword="null"/> when the cluster does not find its endpoints by name.</returns>
    /// <exception cref="ResourceRejectedException">It contradicts itself or asks for what is not supported.</exception>
    public static DnsClusterSettings? Compile(Cluster message, ICollection<string> notes)
    {
        var settings = message switch
        {
            { ClusterType: { } type } => OfClusterType(type, notes),
            { Type: Cluster.Types.DiscoveryType.StrictDns } => OfFields(message, isLogical: false),
            { Type: Cluster.Types.DiscoveryType.LogicalDns } => OfFields(message, isLogical: true),
            _ => null,
        };
        if (settings is null)
        {
            return null;
        }

        if (settings.IsLogical && message.LoadAssignment?.Endpoints is not [{ LbEndpoints.Count: 1 }])
        {
            throw new ResourceRejectedException("load_assignment.endpoints", "must have one locality with one endpoint: the cluster is one logical host");
        }

#pragma warning disable CS0612 // Deprecated in favour of a resolver's own configuration, and sent all the same.
        return settings with { UseTcp = message.UseTcpForDnsLookups, LoadAssignment = message.LoadAssignment?.ToByteString() ?? ByteString.Empty };
#pragma warning restore CS0612
    }

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.
    private static DnsClusterSettings OfFields(Cluster message, bool isLogical)
        => new(
            isLogical,
            message.DnsLookupFamily switch
            {
                Cluster.Types.DnsLookupFamily.V4Only => DnsLookupFamily.V4Only,
                Cluster.Types.DnsLookupFamily.V6Only => DnsLookupFamily.V6Only,
                Cluster.Types.DnsLookupFamily.V4Preferred => DnsLookupFamily.V4Preferred,
                Cluster.Types.DnsLookupFamily.All => DnsLookupFamily.All,
                _ => DnsLookupFamily.Auto,
            },
            UseTcp: false,
            TimerRange.Limit(message.DnsRefreshRate?.ToTimeSpan() ?? DefaultRefreshRate),
            message.RespectDnsTtl,
            MinRefreshRate: TimeSpan.Zero,
            TimerRange.Limit(message.DnsJitter?.ToTimeSpan() ?? TimeSpan.Zero),
            FailureRate(message.DnsFailureRefreshRate?.BaseInterval, message.DnsFailureRefreshRate?.MaxInterval, "dns_failure_refresh_rate"),
            ByteString.Empty);
#pragma warning restore CS0612

    private static DnsClusterSettings OfClusterType(Cluster.Types.CustomClusterType type, ICollection<string> notes)
    {
        const string Path = "cluster_type.typed_config";
        if (type.TypedConfig?.Is(DnsCluster.Descriptor) != true)
        {
            throw new ResourceRejectedException("cluster_type", $"'{type.Name}' is not supported");
        }

        var body = type.TypedConfig.Value;
        var message = WireMessage.Parse(DnsCluster.Parser, body, Path);
        foreach (var note in WireMessage.Validate(message, body, DnsCluster.Parser, Path))
        {
            notes.Add(note);
        }

        if (message.TypedDnsResolverConfig is { } resolver && !IsSameResolver(resolver.TypedConfig))
        {
            throw new ResourceRejectedException(
                $"{Path}.typed_dns_resolver_config",
                $"'{resolver.Name}' is not supported, and other resolvers may know other addresses; names are resolved by the /etc/resolv.conf of this process");
        }

        return new DnsClusterSettings(
            message.AllAddressesInSingleEndpoint,
            message.DnsLookupFamily switch
            {
                TypedFamily.V4Only => DnsLookupFamily.V4Only,
                TypedFamily.V6Only => DnsLookupFamily.V6Only,
                TypedFamily.V4Preferred => DnsLookupFamily.V4Preferred,
                TypedFamily.All => DnsLookupFamily.All,
                _ => DnsLookupFamily.Auto,
            },
            UseTcp: false,
            TimerRange.Limit(message.DnsRefreshRate?.ToTimeSpan() ?? DefaultRefreshRate),
            message.RespectDnsTtl,
            TimerRange.Limit(message.DnsMinRefreshRate?.ToTimeSpan() ?? TimeSpan.Zero),
            TimerRange.Limit(message.DnsJitter?.ToTimeSpan() ?? TimeSpan.Zero),
            FailureRate(message.DnsFailureRefreshRate?.BaseInterval, message.DnsFailureRefreshRate?.MaxInterval, $"{Path}.dns_failure_refresh_rate"),
            ByteString.Empty);
    }

    // Any setting of such a resolver may name other servers.
    private static bool IsSameResolver(Any? config)
        => config is { Value.IsEmpty: true } && SameResolvers.Contains(Any.GetTypeName(config.TypeUrl));

    private static DnsFailureRefreshRate? FailureRate(Duration? baseInterval, Duration? maxInterval, string path)
    {
        if (baseInterval is null)
        {
            return null;
        }

        var start = TimerRange.Limit(baseInterval.ToTimeSpan());
        var max = maxInterval is null ? start * DefaultMaxFactor : TimerRange.Limit(maxInterval.ToTimeSpan());
        return max >= start
            ? new DnsFailureRefreshRate(start, max)
            : throw new ResourceRejectedException($"{path}.max_interval", "must not be less than base_interval");
    }
}
