using Envoy.Admin.V3;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Dumps;

namespace Mesh.Xds.Tests.Dumps;

public sealed class ConfigDumpsTests
{
    [Fact]
    public void Resources_of_a_kind_are_in_Envoys_shape_by_name()
    {
        DumpedResource[] resources =
        [
            new(TypeUrls.Cluster, "b", "2", Any.Pack(new Cluster { Name = "b" }), ClientResourceStatus.Acked) { LastUpdated = DateTimeOffset.UnixEpoch },
            new(TypeUrls.Listener, "l", "1", Any.Pack(new Listener { Name = "l" }), ClientResourceStatus.Acked),
            new(TypeUrls.Cluster, "a", "", null, ClientResourceStatus.Requested) { Error = new UpdateFailureState { Details = "no" } },
        ];

        var clusters = ConfigDumps.Of(TypeUrls.Cluster, resources, "9").ShouldBeOfType<ClustersConfigDump>();
        clusters.VersionInfo.ShouldBe("9");
        clusters.DynamicActiveClusters.Select(cluster => (cluster.Cluster.Unpack<Cluster>().Name, cluster.VersionInfo, cluster.ClientStatus, cluster.ErrorState?.Details)).ShouldBe(
            [("a", "", ClientResourceStatus.Requested, "no"), ("b", "2", ClientResourceStatus.Acked, null)]);
        clusters.DynamicActiveClusters[1].LastUpdated.Seconds.ShouldBe(0);
        ConfigDumps.Of(TypeUrls.Listener, resources).ShouldBeOfType<ListenersConfigDump>().DynamicListeners.ShouldHaveSingleItem().ActiveState.VersionInfo.ShouldBe("1");
        ConfigDumps.Of(TypeUrls.RouteConfiguration, resources).ShouldBeOfType<RoutesConfigDump>().DynamicRouteConfigs.ShouldBeEmpty();
        ConfigDumps.Of(TypeUrls.ClusterLoadAssignment, resources).ShouldBeOfType<EndpointsConfigDump>();
        ConfigDumps.Of(TypeUrls.Secret, resources).ShouldBeOfType<SecretsConfigDump>();
        Should.Throw<ArgumentException>(() => ConfigDumps.Of("type.googleapis.com/other", resources));
    }

    [Fact]
    public void A_listener_that_has_not_come_has_a_name_and_no_state()
    {
        var dump = (ListenersConfigDump)ConfigDumps.Of(TypeUrls.Listener, [new DumpedResource(TypeUrls.Listener, "l", "", null, ClientResourceStatus.Requested)]);
        (dump.DynamicListeners[0].Name, dump.DynamicListeners[0].ActiveState).ShouldBe(("l", null));
    }
}
