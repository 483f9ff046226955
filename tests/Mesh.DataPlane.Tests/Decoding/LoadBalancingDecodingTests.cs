using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.LoadBalancingPolicies.Common.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;
using ExtensionMaglev = Envoy.Extensions.LoadBalancingPolicies.Maglev.V3.Maglev;
using ExtensionRing = Envoy.Extensions.LoadBalancingPolicies.RingHash.V3.RingHash;
using ExtensionRoundRobin = Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3.RoundRobin;

namespace Mesh.DataPlane.Tests.Decoding;

/// <summary>What a cluster says of its load balancing, in the older form and the newer.</summary>
public class LoadBalancingDecodingTests
{
    [Fact]
    public void The_older_form_of_consistent_hashing()
    {
        Older(LbPolicy.RingHash, _ => { }).LoadBalancing.ShouldBe(new RingHash(1024, 8 * 1024 * 1024));
        Older(LbPolicy.RingHash, c =>
        {
            c.RingHashLbConfig = new() { MinimumRingSize = 10, MaximumRingSize = 20, HashFunction = Cluster.Types.RingHashLbConfig.Types.HashFunction.MurmurHash2 };
            c.CommonLbConfig = new() { ConsistentHashingLbConfig = new() { UseHostnameForHashing = true, HashBalanceFactor = 150 } };
        }).LoadBalancing.ShouldBe(new RingHash(10, 20, Murmur: true, UseHostname: true, BalanceFactor: 150));
        Older(LbPolicy.Maglev, _ => { }).LoadBalancing.ShouldBe(new Maglev(65537));
        Older(LbPolicy.Maglev, c => c.MaglevLbConfig = new() { TableSize = 251 }).LoadBalancing.ShouldBe(new Maglev(251));
    }

    [Fact]
    public void The_newer_form_of_consistent_hashing()
    {
        Newer(new ExtensionRing { MinimumRingSize = 16, ConsistentHashingLbConfig = new() { HashBalanceFactor = 120 }, LocalityWeightedLbConfig = new() })
            .ShouldSatisfyAllConditions(p => p.LoadBalancing.ShouldBe(new RingHash(16, BalanceFactor: 120)), p => p.LocalityWeighted.ShouldBeTrue());
        var own = new ExtensionMaglev { ConsistentHashingLbConfig = new() { UseHostnameForHashing = true } };
        own.ConsistentHashingLbConfig.HashPolicy.Add(new Envoy.Config.Route.V3.RouteAction.Types.HashPolicy { Header = new() { HeaderName = "x" } });
        Newer(own).ShouldSatisfyAllConditions(p => p.LoadBalancing.ShouldBe(new Maglev(UseHostname: true)), p => p.HashPolicies.ShouldNotBeNull());
    }

    [Fact]
    public void Slow_start()
    {
        var expected = new SlowStart(TimeSpan.FromSeconds(30), 2, 0.2);
        Older(LbPolicy.LeastRequest, c => c.LeastRequestLbConfig = new()
        {
            SlowStartConfig = new() { SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)), Aggression = new() { DefaultValue = 2 }, MinWeightPercent = new() { Value = 20 } },
        }).LoadBalancing.ShouldBe(new LeastRequest { SlowStart = expected });
        Newer(new ExtensionRoundRobin
        {
            SlowStartConfig = new() { SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)), Aggression = new() { DefaultValue = 2 }, MinWeightPercent = new() { Value = 20 } },
        }).LoadBalancing.ShouldBe(new RoundRobin { SlowStart = expected });
    }

    [Fact]
    public void Client_side_weighted_round_robin_with_its_defaults()
    {
        var policy = Newer(new Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3.WrrLocality
        {
            EndpointPickingPolicy = List(new Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3.ClientSideWeightedRoundRobin { EnableOobLoadReport = true }),
        }, out var notes);
        policy.LocalityWeighted.ShouldBeTrue();
        var weighted = policy.LoadBalancing.ShouldBeOfType<ClientSideWeightedRoundRobin>();
        (weighted.BlackoutPeriod, weighted.ExpirationPeriod, weighted.UpdatePeriod, weighted.ErrorPenalty)
            .ShouldBe((TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(1), 1.0));
        notes.ShouldHaveSingleItem().ShouldContain("enable_oob_load_report");
    }

    [Fact]
    public void Zones()
    {
        var common = Older(LbPolicy.RoundRobin, c => c.CommonLbConfig = new() { ZoneAwareLbConfig = new() { RoutingEnabled = new Percent { Value = 30 }, MinClusterSize = 9, FailTrafficOnPanic = true } });
        (common.ZoneAware, common.FailTrafficOnPanic).ShouldBe((new ZoneAware(30, 9), true));
        Newer(new ExtensionRoundRobin { LocalityLbConfig = new() { ZoneAwareLbConfig = new() { ForceLocalZone = new() { MinSize = 3 }, LocalityBasis = LocalityLbConfig.Types.ZoneAwareLbConfig.Types.LocalityBasis.HealthyHostsWeight } } })
            .ZoneAware.ShouldBe(new ZoneAware(100, 6, 3, ByWeight: true));
    }

    [Fact]
    public void A_host_named_by_a_header_over_another_policy()
    {
        var policy = Newer(new Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3.OverrideHost
        {
            OverrideHostSources = { new Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3.OverrideHost.Types.OverrideHostSource { Header = "x-gateway-destination-endpoint" } },
            FallbackPolicy = List(new ExtensionMaglev()),
        });
        policy.LoadBalancing.ShouldBe(new Maglev());
        policy.OverrideHostHeaders!.Select(h => h.Value).ShouldBe(["x-gateway-destination-endpoint"]);
    }

    [Fact]
    public void Statuses_of_overridden_hosts()
        => Older(LbPolicy.RoundRobin, c => c.CommonLbConfig = new() { OverrideHostStatus = new HealthStatusSet { Statuses = { HealthStatus.Unknown, HealthStatus.Draining } } })
            .OverrideHostStatuses.ShouldBe(HostStatuses.Unknown | HostStatuses.Draining);

    [Fact]
    public void The_first_known_policy_of_a_list_counts()
    {
        var cluster = Resources.Cluster("c", LbPolicy.Random);
        cluster.LoadBalancingPolicy = List(new Envoy.Extensions.Filters.Http.Router.V3.Router(), new ExtensionMaglev(), new ExtensionRoundRobin());
        Decode(cluster).Policy.LoadBalancing.ShouldBe(new Maglev());
    }

    [Fact]
    public void What_is_refused()
    {
        Refused(c => c.MaglevLbConfig = new() { TableSize = 65536 }, LbPolicy.Maglev, "maglev_lb_config.table_size");
        Refused(c => c.RingHashLbConfig = new() { MinimumRingSize = 9, MaximumRingSize = 8 }, LbPolicy.RingHash, "ring_hash_lb_config");
        Refused(c => c.LbSubsetConfig = new(), LbPolicy.RoundRobin, "lb_subset_config");
        Refused(c => c.RoundRobinLbConfig = new() { SlowStartConfig = new() { Aggression = new() { DefaultValue = -1 } } }, LbPolicy.RoundRobin, "round_robin_lb_config.slow_start_config.aggression");
        Refused(_ => { }, LbPolicy.LoadBalancingPolicyConfig, "load_balancing_policy");
    }

    [Fact]
    public void What_endpoints_have_dropped()
    {
        var endpoints = Resources.Endpoints("c", 80);
        endpoints.Policy = new ClusterLoadAssignment.Types.Policy
        {
            DropOverloads =
            {
                new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "a", DropPercentage = new FractionalPercent { Numerator = 50 } },
                new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "b", DropPercentage = new FractionalPercent { Numerator = 500_000, Denominator = FractionalPercent.Types.DenominatorType.Million } },
            },
        };
        var resource = (EndpointsResource)EndpointsType.Instance.Decode(endpoints.ToByteString(), out _);
        resource.DropShare.ShouldBe(0.75, 1e-9);

        var set = new EndpointSet([], [], []) { DropShare = resource.DropShare };
        var random = new SequenceRandomSource(10_000);
        Enumerable.Range(0, 10_000).Count(_ => set.Drops(random.NextUInt64())).ShouldBeInRange(7_350, 7_650);
        EndpointSet.Empty.Drops(0).ShouldBeFalse();
    }

    private static ClusterPolicy Older(LbPolicy policy, Action<Cluster> change)
    {
        var cluster = Resources.Cluster("c", policy);
        change(cluster);
        return Decode(cluster).Policy;
    }

    private static ClusterPolicy Newer(IMessage policy) => Newer(policy, out _);

    private static ClusterPolicy Newer(IMessage policy, out IReadOnlyList<string> notes)
    {
        var cluster = Resources.Cluster("c");
        cluster.LoadBalancingPolicy = List(policy);
        var resource = Decode(cluster);
        notes = resource.Notes;
        return resource.Policy;
    }

    private static Envoy.Config.Cluster.V3.LoadBalancingPolicy List(params IMessage[] policies) => new()
    {
        Policies =
        {
            policies.Select(p => new Envoy.Config.Cluster.V3.LoadBalancingPolicy.Types.Policy { TypedExtensionConfig = new TypedExtensionConfig { Name = "p", TypedConfig = Any.Pack(p) } }),
        },
    };

    private static ClusterResource Decode(Cluster cluster) => (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);

    private static void Refused(Action<Cluster> change, LbPolicy policy, string field) => Should.Throw<ResourceRejectedException>(() => Older(policy, change)).Field.ShouldBe(field);
}
