using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.Clusters.OriginalDst.V3;
using Envoy.Extensions.LoadBalancingPolicies.ClusterProvided.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using DnsLookupFamily = Mesh.DataPlane.Dns.DnsLookupFamily;
using Metadata = Envoy.Type.Metadata.V3.MetadataKey;

namespace Mesh.DataPlane.Tests.OriginalDst;

public sealed class OriginalDestinationCompilerTests
{
    [Fact]
    public void A_cluster_of_original_destinations_keeps_them_for_five_seconds_unless_it_says_otherwise()
    {
        var settings = Decode(Original());

        (settings.Header, settings.Port, settings.CleanupInterval).ShouldBe((null, null, TimeSpan.FromSeconds(5)));
        (settings.Names.IsLogical, settings.Names.Family, settings.Names.RespectTimeToLive).ShouldBe((true, DnsLookupFamily.V4Preferred, true));
        Decode(Original(c => c.CleanupInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)))).CleanupInterval.ShouldBe(TimeSpan.FromSeconds(60));
        Decode(Original(c => c.DnsLookupFamily = Cluster.Types.DnsLookupFamily.V6Only)).Names.Family.ShouldBe(DnsLookupFamily.V6Only);
    }

    [Fact]
    public void A_header_and_a_port_may_override_the_destination()
    {
        var byDefault = Decode(Original(c => c.OriginalDstLbConfig = new() { UseHttpHeader = true, UpstreamPortOverride = 8080 }));
        (byDefault.Header!.Value, byDefault.Port).ShouldBe(("x-envoy-original-dst-host", 8080));

        Decode(Original(c => c.OriginalDstLbConfig = new() { UseHttpHeader = true, HttpHeaderName = "X-Where" })).Header!.Value.ShouldBe("x-where");
    }

    [Fact]
    public void The_newer_way_to_say_it_is_honoured_as_well()
    {
        var cluster = Original(c =>
        {
            c.ClusterType = new Cluster.Types.CustomClusterType
            {
                Name = "envoy.clusters.original_dst",
                TypedConfig = Any.Pack(new OriginalDstCluster { UseHttpHeader = true, UpstreamPortOverride = 9 }),
            };
            c.LbPolicy = Cluster.Types.LbPolicy.RoundRobin;
            c.LoadBalancingPolicy = new LoadBalancingPolicy
            {
                Policies =
                {
                    new LoadBalancingPolicy.Types.Policy
                    {
                        TypedExtensionConfig = new TypedExtensionConfig { Name = "provided", TypedConfig = Any.Pack(new ClusterProvided()) },
                    },
                },
            };
        });

        var settings = Decode(cluster);

        (settings.Header!.Value, settings.Port).ShouldBe(("x-envoy-original-dst-host", 9));
    }

    [Fact]
    public void Metadata_may_name_the_destination()
    {
        var metadata = Decode(Original(c => c.OriginalDstLbConfig = new() { MetadataKey = new Metadata { Key = "k", Path = { new Metadata.Types.PathSegment { Key = "p" } } } })).Metadata!;

        (metadata.Filter, metadata.Path.Single()).ShouldBe(("k", "p"));
    }

    [Fact]
    public void A_policy_that_balances_is_refused() => Refused(c => c.LbPolicy = Cluster.Types.LbPolicy.RoundRobin).ShouldBe("lb_policy");

    [Fact]
    public void Endpoints_are_refused() => Refused(c => c.LoadAssignment = new ClusterLoadAssignment { ClusterName = "c" }).ShouldBe("load_assignment");

    [Fact]
    public void A_header_that_is_not_used_is_refused()
        => Refused(c => c.OriginalDstLbConfig = new() { HttpHeaderName = "x-where" }).ShouldBe("original_dst_lb_config.http_header_name");

    [Fact]
    public void A_header_that_cannot_be_one_is_refused()
        => Refused(c => c.OriginalDstLbConfig = new() { UseHttpHeader = true, HttpHeaderName = "x where" }).ShouldBe("original_dst_lb_config.http_header_name");

    [Fact]
    public void A_port_beyond_all_ports_is_refused()
        => Refused(c => c.OriginalDstLbConfig = new() { UpstreamPortOverride = 65536 }).ShouldBe("original_dst_lb_config.upstream_port_override");

    [Fact]
    public void An_interval_of_nothing_is_refused() => Refused(c => c.CleanupInterval = new Duration()).ShouldBe("cleanup_interval");

    [Fact]
    public void CLUSTER_PROVIDED_is_refused_elsewhere()
        => Refused(c => c.Type = Cluster.Types.DiscoveryType.Static).ShouldBe("lb_policy");

    private static Cluster Original(Action<Cluster>? configure = null)
    {
        var cluster = new Cluster { Name = "c", Type = Cluster.Types.DiscoveryType.OriginalDst, LbPolicy = Cluster.Types.LbPolicy.ClusterProvided };
        configure?.Invoke(cluster);
        return cluster;
    }

    private static OriginalDestinationSettings Decode(Cluster cluster)
    {
        var decoded = (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);
        decoded.Notes.ShouldBeEmpty();
        return decoded.Policy.OriginalDestination.ShouldNotBeNull();
    }

    private static string Refused(Action<Cluster> configure)
        => Should.Throw<ResourceRejectedException>(() => ClusterType.Instance.Decode(Original(configure).ToByteString(), out _)).Field;
}
