using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;

namespace Mesh.Xds.Server.Tests;

/// <summary>ADS over real sockets.</summary>
public sealed class MeshXdsTests
{
    private const string Stream = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
    private const string Delta = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

    [Fact]
    public async Task The_state_of_the_world_is_streamed()
    {
        await using var host = await GrpcHost.StartAsync();
        host.Backend.Set("a");
        var stream = await host.Client.OpenAsync(Stream);

        await stream.WriteAsync(new DiscoveryRequest { Node = new Node { Id = "n" }, TypeUrl = TypeUrls.Cluster });
        var first = await stream.ReadAsync(DiscoveryResponse.Parser);
        first!.Resources.Count.ShouldBe(1);
        var connection = host.Server.Connections.ShouldHaveSingleItem();
        connection.Node!.Id.ShouldBe("n");
        connection.Connection.RemoteEndPoint.ShouldNotBeNull();
        connection.Connection.IsInProcess.ShouldBeFalse();

        host.Backend.Set("a", "b");
        host.Server.Push(AdsChange.Everything);
        (await stream.ReadAsync(DiscoveryResponse.Parser))!.Resources.Count.ShouldBe(2);

        await stream.CompleteAsync();
        (await stream.ReadStatusAsync()).Status.ShouldBe("0");
    }

    [Fact]
    public async Task Changes_are_streamed()
    {
        await using var host = await GrpcHost.StartAsync();
        var stream = await host.Client.OpenAsync(Delta);

        await stream.WriteAsync(new DeltaDiscoveryRequest { Node = new Node { Id = "n" }, TypeUrl = TypeUrls.Cluster, ResourceNamesSubscribe = { "a" } });
        (await stream.ReadAsync(DeltaDiscoveryResponse.Parser))!.RemovedResources.ShouldBe(["a"]);

        host.Backend.Set("a", "b");
        host.Server.Push(AdsChange.Everything);
        (await stream.ReadAsync(DeltaDiscoveryResponse.Parser))!.Resources.Single().Name.ShouldBe("a");
    }

    [Fact]
    public async Task A_broken_rule_ends_the_stream_with_its_status_in_the_trailers()
    {
        await using var host = await GrpcHost.StartAsync();
        var stream = await host.Client.OpenAsync(Stream);

        await stream.WriteAsync(new DiscoveryRequest { TypeUrl = TypeUrls.Cluster });

        var (status, message) = await stream.ReadStatusAsync();
        status.ShouldBe("3");
        message!.ShouldContain("node");
    }

    [Fact]
    public async Task Stopping_the_host_ends_streams_as_unavailable_at_once()
    {
        await using var host = await GrpcHost.StartAsync();
        var stream = await host.Client.OpenAsync(Stream);
        await stream.WriteAsync(new DiscoveryRequest { Node = new Node { Id = "n" }, TypeUrl = TypeUrls.Cluster });
        await stream.ReadAsync(DiscoveryResponse.Parser);

        var stopping = host.App.StopAsync();

        (await stream.ReadStatusOrCloseAsync()).ShouldBeOneOf("14", null);
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        host.LastStatus.ShouldBe("14");
        host.Server.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_stream_on_the_server()
    {
        await using var host = await GrpcHost.StartAsync();
        var stream = await host.Client.OpenAsync(Delta);
        await stream.WriteAsync(new DeltaDiscoveryRequest { Node = new Node { Id = "n" }, TypeUrl = TypeUrls.Cluster });
        await stream.ReadAsync(DeltaDiscoveryResponse.Parser);
        host.Backend.Set("a");
        var gone = host.Server.WhenAcknowledgedAsync(host.Server.Push(AdsChange.Everything), CancellationToken.None);

        stream.Response.Dispose();

        await gone.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Without_a_control_plane_the_error_says_what_to_do()
    {
        var app = WebApplication.CreateSlimBuilder().Build();

        Should.Throw<InvalidOperationException>(() => app.MapMeshXds()).Message.ShouldContain("AddMeshControlPlane");
    }
}
