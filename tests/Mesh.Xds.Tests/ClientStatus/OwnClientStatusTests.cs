using Envoy.Admin.V3;
using Envoy.Service.Status.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Grpc;
using Mesh.Xds.Tests.Client;

namespace Mesh.Xds.Tests.ClientStatus;

/// <summary>What a client tells of itself (gRFC A40).</summary>
public sealed class OwnClientStatusTests : XdsClientFixture
{
    [Fact]
    public async Task Each_resource_stands_with_its_state_and_what_was_refused_of_it()
    {
        var (a, b) = (new RecordingWatcher(), new RecordingWatcher());
        Client.Watch(TestResourceType.Cluster, "a", a);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.Watch(TestResourceType.Cluster, "b", b);
        await stream.NextAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await a.NextAsync();
        await stream.NextAsync();
        var accepted = Clock.GetUtcNow();
        Clock.Advance(TimeSpan.FromSeconds(3));
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a", "bad"))));
        await a.NextAsync();
        await stream.NextAsync();

        var config = OwnClientStatus.Read(Client, new ClientStatusRequest()).Config.ShouldHaveSingleItem();
        config.Node.Id.ShouldBe("node");
        config.GenericXdsConfigs.Count.ShouldBe(2);
        config.GenericXdsConfigs[0].ShouldBe(new ClientConfig.Types.GenericXdsConfig
        {
            TypeUrl = TestResourceType.Cluster.TypeUrl,
            Name = "a",
            VersionInfo = "v1",
            XdsConfig = Cluster("a"),
            LastUpdated = Timestamp.FromDateTimeOffset(accepted),
            ClientStatus = ClientResourceStatus.Nacked,
            ErrorState = new UpdateFailureState
            {
                Details = "alt_stat_name: is bad",
                VersionInfo = "v2",
                LastUpdateAttempt = Timestamp.FromDateTimeOffset(Clock.GetUtcNow()),
                FailedConfiguration = Cluster("a", "bad"),
            },
        });
        config.GenericXdsConfigs[1].ShouldBe(new ClientConfig.Types.GenericXdsConfig { TypeUrl = TestResourceType.Cluster.TypeUrl, Name = "b", ClientStatus = ClientResourceStatus.Requested });

        var bare = OwnClientStatus.Read(Client, new ClientStatusRequest { ExcludeResourceContents = true }).Config[0].GenericXdsConfigs[0];
        (bare.XdsConfig, bare.ErrorState.FailedConfiguration, bare.VersionInfo).ShouldBe((null, null, "v1"));
    }

    [Fact]
    public void It_knows_of_no_others()
        => Should.Throw<RpcException>(() => OwnClientStatus.Read(Client, new ClientStatusRequest { NodeMatchers = { new NodeMatcher() } })).StatusCode.ShouldBe(StatusCode.InvalidArgument);
}
