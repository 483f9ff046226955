using System.Net;
using Envoy.Extensions.Clusters.Dns.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Resources;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>Clusters whose name is one host, and clusters whose kind is said by their <c>cluster_type</c>.</summary>
public sealed class LogicalDnsClusterTests : DnsClusterScenario
{
    [Fact]
    public async Task A_logical_cluster_is_one_host_that_moves_with_the_first_address()
    {
        Dns.Answer(Host, null, "10.0.0.1", "10.0.0.2");
        var cluster = await StartAsync(Logical(Host, m => m.LoadAssignment.Endpoints[0].Priority = 3));
        var state = cluster.Current;
        var host = state.Endpoints.Endpoints.ShouldHaveSingleItem();
        host.Priority.ShouldBe(0u);
        host.ToString().ShouldBe("api.example.com:80");
        LogicalHost.AddressOf(host.Resource.Address).ShouldBe(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80));

        Dns.Answer(Host, null, "10.0.0.9", "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));

        cluster.Current.ShouldBeSameAs(state);
        LogicalHost.AddressOf(host.Resource.Address).ShouldBe(new IPEndPoint(IPAddress.Parse("10.0.0.9"), 80));
    }

    [Fact]
    public async Task That_there_are_no_addresses_is_a_failure_to_a_logical_cluster()
    {
        Dns.Answer(Host, 60, "10.0.0.1");
        var cluster = await StartAsync(Logical(Host, m => m.DnsFailureRefreshRate = new Cluster.Types.RefreshRate { BaseInterval = Seconds(2) }));

        Dns.Answer(Host, 60);
        Time.Advance(TimeSpan.FromSeconds(6));

        cluster.Current.Endpoints.Endpoints.Count.ShouldBe(1);
        cluster.Current.Error.ShouldBe($"{Host} has no addresses");
        Dns.Times(Host).ShouldBe([0, 5, 6]);
    }

    [Fact]
    public async Task A_logical_cluster_without_an_address_has_no_host()
    {
        Dns.Fail(Host);
        var cluster = await StartAsync(Logical(Host));
        cluster.Current.Endpoints.Endpoints.ShouldBeEmpty();

        Dns.Answer(Host, null, "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));

        cluster.Current.Endpoints.Endpoints.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_host_of_a_logical_cluster_stays_when_only_its_refreshing_changes()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        var cluster = await StartAsync(Logical(Host));
        var state = cluster.Current.Endpoints.Endpoints[0].State;

        Xds.Set(ClusterType.Instance, Logical(Host, m => m.DnsRefreshRate = Seconds(60)));

        cluster.Current.Endpoints.Endpoints.ShouldHaveSingleItem().State.ShouldBeSameAs(state);
    }

    [Fact]
    public async Task The_newer_way_to_say_it_is_honoured_as_well()
    {
        Dns.Answer(Host, 1, "10.0.0.1");
        var message = OfClusterType(new DnsCluster
        {
            RespectDnsTtl = true,
            DnsMinRefreshRate = Seconds(10),
            DnsLookupFamily = Envoy.Extensions.Clusters.Common.Dns.V3.DnsLookupFamily.V6Only,
        });

        var cluster = await StartAsync(message);

        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
        Dns.Asked[0].Query.ShouldBe(new DnsQuery(Host, DnsLookupFamily.V6Only));
        Time.Advance(TimeSpan.FromSeconds(20));
        Dns.Times(Host).ShouldBe([0, 10, 20]);
    }

    [Theory]
    [InlineData((int)Cluster.Types.DnsLookupFamily.Auto, (int)DnsLookupFamily.Auto)]
    [InlineData((int)Cluster.Types.DnsLookupFamily.V4Only, (int)DnsLookupFamily.V4Only)]
    [InlineData((int)Cluster.Types.DnsLookupFamily.V6Only, (int)DnsLookupFamily.V6Only)]
    [InlineData((int)Cluster.Types.DnsLookupFamily.V4Preferred, (int)DnsLookupFamily.V4Preferred)]
    [InlineData((int)Cluster.Types.DnsLookupFamily.All, (int)DnsLookupFamily.All)]
    public async Task The_family_and_the_way_are_the_cluster_s(int sent, int expected)
    {
        Dns.Answer(Host, null, "10.0.0.1");
        await StartAsync(Strict(Host, m => (m.DnsLookupFamily, m.UseTcpForDnsLookups) = ((Cluster.Types.DnsLookupFamily)sent, true)));

        Dns.Asked[0].Query.ShouldBe(new DnsQuery(Host, (DnsLookupFamily)expected, UseTcp: true));
    }

    private Cluster OfClusterType(DnsCluster dns)
    {
        var message = Strict(Host);
        message.ClusterType = new Cluster.Types.CustomClusterType { Name = "envoy.cluster.dns", TypedConfig = Any.Pack(dns) };
        return message;
    }
}
