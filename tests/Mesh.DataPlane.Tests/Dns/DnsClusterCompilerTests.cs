using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.Clusters.Dns.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>What of a DNS cluster is refused, and the path that the NACK carries.</summary>
public sealed class DnsClusterCompilerTests
{
    private const string Address = "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address";

    [Fact]
    public void A_logical_cluster_of_two_endpoints()
        => Refused(Logical, c => c.LoadAssignment.Endpoints[0].LbEndpoints.Add(Resources.Endpoint("b.example", 80)), "load_assignment.endpoints");

    [Fact]
    public void A_logical_cluster_of_two_localities() => Refused(Logical, c => c.LoadAssignment.Endpoints.Add(c.LoadAssignment.Endpoints[0].Clone()), "load_assignment.endpoints");

    [Fact]
    public void A_logical_cluster_without_endpoints() => Refused(Logical, c => c.LoadAssignment = null, "load_assignment.endpoints");

    [Fact]
    public void A_resolver_by_name()
        => Refused(Strict, c => c.LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.Address.SocketAddress.ResolverName = "consul", Address + ".resolver_name");

    [Theory]
    [InlineData("a..b")]
    [InlineData("bücher.example")]
    [InlineData("")]
    [InlineData("*.example")]
    public void What_is_neither_an_address_nor_a_name(string host)
        => Refused(Strict, c => c.LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.Address.SocketAddress.Address = host, Address + ".address");

    [Fact]
    public void A_name_where_only_addresses_are_allowed()
        => Refused(Strict, c => c.Type = Cluster.Types.DiscoveryType.Static, Address + ".address");

    [Fact]
    public void A_maximum_below_its_base()
        => Refused(
            Strict,
            c => c.DnsFailureRefreshRate = new Cluster.Types.RefreshRate { BaseInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)), MaxInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(4)) },
            "dns_failure_refresh_rate.max_interval");

    [Fact]
    public void A_refresh_rate_of_nothing() => Refused(Strict, c => c.DnsRefreshRate = new Duration(), "dns_refresh_rate");

    [Fact]
    public void A_failure_rate_without_its_base_in_a_typed_cluster()
        => Refused(Strict, c => Type(c, new DnsCluster { DnsFailureRefreshRate = new DnsCluster.Types.RefreshRate() }), "cluster_type.typed_config.dns_failure_refresh_rate.base_interval");

    [Fact]
    public void A_typed_logical_cluster_of_two_endpoints()
        => Refused(
            Strict,
            c =>
            {
                Type(c, new DnsCluster { AllAddressesInSingleEndpoint = true });
                c.LoadAssignment.Endpoints[0].LbEndpoints.Add(Resources.Endpoint("b.example", 80));
            },
            "load_assignment.endpoints");

    [Fact]
    public void A_resolver_that_may_know_other_addresses()
        => Refused(
            Strict,
            c => Type(c, new DnsCluster
            {
                TypedDnsResolverConfig = new TypedExtensionConfig
                {
                    Name = "cares",
                    TypedConfig = new Any
                    {
                        TypeUrl = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                        Value = ByteString.CopyFrom(10, 0),
                    },
                },
            }),
            "cluster_type.typed_config.typed_dns_resolver_config");

    [Fact]
    public void Another_type_of_cluster()
        => Refused(Strict, c => c.ClusterType = new Cluster.Types.CustomClusterType { Name = "redis", TypedConfig = Any.Pack(new Duration()) }, "cluster_type");

    [Fact]
    public void A_resolver_that_asks_this_machine_as_well_is_taken_for_granted()
    {
        var cluster = Strict();
        Type(cluster, new DnsCluster
        {
            AllAddressesInSingleEndpoint = true,
            TypedDnsResolverConfig = new TypedExtensionConfig
            {
                Name = "os",
                TypedConfig = new Any { TypeUrl = "type.googleapis.com/envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig" },
            },
        });

        ((ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _)).Dns!.IsLogical.ShouldBeTrue();
    }

    private static Cluster Strict() => new()
    {
        Name = "api",
        Type = Cluster.Types.DiscoveryType.StrictDns,
        LoadAssignment = new ClusterLoadAssignment { ClusterName = "api", Endpoints = { new LocalityLbEndpoints { LbEndpoints = { Resources.Endpoint("a.example", 80) } } } },
    };

    private static Cluster Logical()
    {
        var cluster = Strict();
        cluster.Type = Cluster.Types.DiscoveryType.LogicalDns;
        return cluster;
    }

    private static void Type(Cluster cluster, DnsCluster dns)
        => cluster.ClusterType = new Cluster.Types.CustomClusterType { Name = "envoy.cluster.dns", TypedConfig = Any.Pack(dns) };

    private static void Refused(Func<Cluster> create, Action<Cluster> change, string field)
    {
        var cluster = create();
        ClusterType.Instance.Decode(cluster.ToByteString(), out _);
        change(cluster);
        Should.Throw<ResourceRejectedException>(() => ClusterType.Instance.Decode(cluster.ToByteString(), out _)).Field.ShouldBe(field);
    }
}
