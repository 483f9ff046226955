using System.Net;
using Envoy.Admin.V3;
using Envoy.Service.Status.V3;
using Envoy.Type.Matcher.V3;
using Mesh.ControlPlane.Tests.Debug;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.ClientStatus;

/// <summary>What a control plane tells of its clients by CSDS.</summary>
public sealed class ConnectedClientStatusTests : IAsyncDisposable
{
    private const string Cluster = "outbound|9080||reviews.default.svc.cluster.local";
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        """;

    private readonly DebugMesh _mesh = new(Reviews);

    [Fact]
    public async Task Each_client_stands_with_what_it_was_sent_and_how_far_it_is()
    {
        var good = await ConnectAsync("good");
        var bad = await ConnectAsync("bad", _ => "Cluster: cannot be used");
        await _mesh.SettleAsync();

        var clients = Read(new ClientStatusRequest()).Config.ToDictionary(c => c.Node.Id);
        clients.Keys.ShouldBe(["good", "bad"], ignoreOrder: true);
        var synced = clients["good"].GenericXdsConfigs.Single(c => c.Name == Cluster);
        (synced.TypeUrl, synced.ConfigStatus, synced.ClientStatus, synced.ErrorState).ShouldBe((TypeUrls.Cluster, ConfigStatus.Synced, ClientResourceStatus.Acked, null));
        synced.XdsConfig.Unpack<Envoy.Config.Cluster.V3.Cluster>().Name.ShouldBe(Cluster);
        synced.VersionInfo.ShouldNotBeEmpty();
        synced.LastUpdated.ToDateTimeOffset().ShouldBe(_mesh.Time.GetUtcNow());
        var missing = clients["good"].GenericXdsConfigs.Single(c => c.Name == "outbound|1||nowhere");
        (missing.ConfigStatus, missing.ClientStatus, missing.XdsConfig).ShouldBe((ConfigStatus.NotSent, ClientResourceStatus.DoesNotExist, null));

        var refused = clients["bad"].GenericXdsConfigs.Single(c => c.Name == Cluster);
        (refused.ConfigStatus, refused.ClientStatus, refused.ErrorState.Details).ShouldBe((ConfigStatus.Error, ClientResourceStatus.Nacked, "Cluster: cannot be used"));
        (good is not null && bad is not null).ShouldBeTrue();
    }

    [Fact]
    public async Task Those_that_are_asked_for_are_told_and_contents_only_when_wanted()
    {
        await ConnectAsync("one");
        await ConnectAsync("two");
        await _mesh.SettleAsync();

        var request = new ClientStatusRequest { NodeMatchers = { new NodeMatcher { NodeId = new StringMatcher { Exact = "two" } } }, ExcludeResourceContents = true };
        var client = Read(request).Config.ShouldHaveSingleItem();
        client.Node.Id.ShouldBe("two");
        client.GenericXdsConfigs.ShouldAllBe(c => c.XdsConfig == null);
        client.GenericXdsConfigs.ShouldNotBeEmpty();
    }

    [Fact]
    public void Who_may_not_read_the_status_is_not_told()
        => Should.Throw<RpcException>(() => _mesh.Get<IClientStatusServer>().Read(new ClientStatusRequest(), new CallerCredentials { Remote = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 1) }))
            .StatusCode.ShouldBe(StatusCode.PermissionDenied);

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private ClientStatusResponse Read(ClientStatusRequest request) => _mesh.Get<IClientStatusServer>().Read(request, DebugMesh.Local);

    private async Task<object> ConnectAsync(string id, Func<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, string?>? refuse = null)
    {
        var peer = await _mesh.ConnectAsync(id, """{"NAMESPACE":"default"}""", refuse);
        await peer.SubscribeAsync(TypeUrls.Cluster, Cluster, "outbound|1||nowhere");
        await peer.WaitForAsync<Envoy.Config.Cluster.V3.Cluster>(TypeUrls.Cluster, Cluster);
        return peer;
    }
}
