using Envoy.Config.Core.V3;
using Mesh.Xds.Client;
using Mesh.Xds.Serving;
using Mesh.Xds.Tests.Serving;

namespace Mesh.Xds.Tests.Client;

/// <summary>Client and server engine of the same house, joined by streams in memory.</summary>
public class XdsClientAgainstOwnServerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changes_arrive_are_acknowledged_and_the_push_knows_it(bool delta)
    {
        await using var server = new AdsServerFixture();
        server.SetCluster("a", "1");
        await using var client = new XdsClient(
            [new XdsServer(new InProcessAdsTransport(server.Server))],
            new XdsClientOptions { Node = new Node { Id = "client" }, Delta = delta });
        var watcher = new RecordingWatcher();
        client.Watch(TestResourceType.Cluster, "a", watcher);
        (await watcher.NextAsync()).ShouldStartWith("a=1 @");

        server.SetCluster("a", "2");
        var epoch = server.PushAll();
        (await watcher.NextAsync()).ShouldStartWith("a=2 @");
        await server.Server.WhenAcknowledgedAsync(epoch, default).WaitAsync(TimeSpan.FromSeconds(30));

        // A refused version is remembered by the server with the reason, and the last good one stays.
        server.SetCluster("a", "bad");
        epoch = server.PushAll();
        (await watcher.NextAsync()).ShouldStartWith("a ambient Invalid");
        await server.Server.WhenAcknowledgedAsync(epoch, default).WaitAsync(TimeSpan.FromSeconds(30));
        server.Server.Connections.Single().Types.Single(t => t.TypeUrl == TestResourceType.Cluster.TypeUrl).LastNack!.ShouldContain("Cluster a: alt_stat_name: is bad");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_server_confirms_a_drain(bool delta)
    {
        await using var server = new AdsServerFixture();
        server.SetCluster("a", "1");
        await using var client = new XdsClient(
            [new XdsServer(new InProcessAdsTransport(server.Server))],
            new XdsClientOptions { Node = new Node { Id = "client" }, Delta = delta });
        var watcher = new RecordingWatcher();
        client.Watch(TestResourceType.Cluster, "a", watcher);
        await watcher.NextAsync();
        client.ReportHealth(true);
        client.ReportHealth(false, "stopping");
        await client.WhenDrainedAsync(default).WaitAsync(TimeSpan.FromSeconds(30));
    }
}
