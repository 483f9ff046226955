using Mesh.Testing;
using Mesh.Xds.Ads;

namespace Mesh.EndToEnd.Tests;

/// <summary>Workloads come, leave and are lost while requests go on.</summary>
public sealed class DrainTests
{
    private const int Replicas = 3;
    private const int Rounds = 3;

    [Theory]
    [InlineData("http")]
    [InlineData("http2")]
    public async Task Replacing_every_replica_one_by_one_under_load_loses_no_request(string port)
    {
        var protocol = port == "http" ? Protocol.Http : Protocol.Http2;
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", port, "v1"));
        await lab.StartControlPlaneAsync();
        var replicas = new Queue<Workload>();
        for (var i = 0; i < Replicas; i++)
        {
            replicas.Enqueue(await lab.StartWorkloadAsync("echo", "v1", protocol));
        }

        await lab.WhenRegisteredAsync("echo", Replicas);
        var caller = await lab.StartCallerAsync();
        var load = new Load(lab.Log, caller.Client, ["http://echo"], callers: 8);
        await load.MoreAsync(200);

        for (var turn = 0; turn < Rounds * Replicas; turn++)
        {
            // Every second time there is one fewer in between.
            if (turn % 2 == 0)
            {
                replicas.Enqueue(await lab.StartWorkloadAsync("echo", "v1", protocol));
                await lab.StopAsync(replicas.Dequeue());
            }
            else
            {
                await lab.StopAsync(replicas.Dequeue());
                replicas.Enqueue(await lab.StartWorkloadAsync("echo", "v1", protocol));
            }

            await load.MoreAsync(100);
        }

        await lab.WhenRegisteredAsync("echo", Replicas);
        var served = replicas.Sum(replica => replica.Served);
        await load.MoreAsync(300);
        replicas.Sum(replica => replica.Served).ShouldBeGreaterThan(served, "the new replicas serve");
        await load.StopAsync(atLeast: 1500);
    }

    [Fact]
    public async Task A_stream_that_is_cut_and_comes_back_changes_no_endpoint()
    {
        var time = new ManualTimeProvider();
        await using var lab = new MeshLab();
        var (workload, caller) = await StartAsync(lab, time);
        var load = new Load(lab.Log, caller.Client, ["http://echo"], callers: 2);
        var seen = EndpointsSent(lab).Count;

        var streams = lab.ControlPlane.Requests.Streams.Count;
        await lab.ControlPlane.Requests.Streams.Last(stream => IsOf(stream, "echo")).AbortAsync();
        await lab.ControlPlane.Requests.WhenAsync(now => now.Count > streams && IsOf(now.Last(), "echo") && now.Last().Handled > 0);
        time.Advance(TimeSpan.FromMinutes(1));
        await lab.ControlPlane.FlushAsync();

        await load.StopAsync(atLeast: 200);
        EndpointsSent(lab).Count.ShouldBe(seen);
        workload.Served.ShouldBeGreaterThanOrEqualTo(200);
    }

    [Fact]
    public async Task A_workload_that_is_lost_without_a_good_bye_is_kept_for_the_grace_period_and_then_gone()
    {
        var time = new ManualTimeProvider();
        await using var lab = new MeshLab();
        var (workload, caller) = await StartAsync(lab, time);

        await workload.TearStreamAsync();
        await lab.ControlPlane.WhenDisconnectedAsync("echo");
        time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        await lab.ControlPlane.FlushAsync();
        (await StatusAsync(caller)).ShouldBe((200, ""));

        time.Advance(TimeSpan.FromTicks(1));
        await lab.WhenRegisteredAsync("echo", 0);
        (await StatusAsync(caller)).ShouldBe((503, "UH"));
    }

    [Fact]
    public async Task A_streaming_response_flows_to_its_end_across_changes_of_route_and_the_drain_of_its_server()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1", "v2") + Yaml.Service("echo2", "http2", "v1", "v2"));
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", ("v1", 100)) + Yaml.Split("echo2", ("v1", 100)));
        await lab.StartControlPlaneAsync();
        Workload[] servers = [await lab.StartWorkloadAsync("echo"), await lab.StartWorkloadAsync("echo2", protocol: Protocol.Http2)];
        await lab.StartWorkloadAsync("echo", "v2");
        await lab.StartWorkloadAsync("echo2", "v2", Protocol.Http2);
        await lab.WhenRegisteredAsync("echo", 2);
        await lab.WhenRegisteredAsync("echo2", 2);
        var caller = await lab.StartCallerAsync();
        var streams = new List<EventReader>();
        foreach (var target in new[] { "http://echo", "http://echo2" })
        {
            streams.Add(await EventReader.OpenAsync(caller.Client, $"{target}/stream/4"));
        }

        // 1. Before anything happens.
        await EachAsync(0);

        // 2. The route goes elsewhere: what is open stays, what is new follows.
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", ("v2", 100)) + Yaml.Split("echo2", ("v2", 100)));
        await lab.ControlPlane.WhenLiveAsync("VirtualService", "\"v2\"");
        (await VersionAsync(caller)).ShouldBe("v2");
        await EachAsync(1);

        // 3. The servers leave: gracefully, so they wait for what is under way.
        var stopping = servers.Select(server => server.StopAsync()).ToArray();
        await lab.WhenRegisteredAsync("echo", 1);
        await lab.WhenRegisteredAsync("echo2", 1);
        await EachAsync(2);
        stopping.ShouldAllBe(stop => !stop.IsCompleted);
        await EachAsync(3);
        foreach (var stream in streams)
        {
            (await stream.NextAsync()).ShouldBeNull("the stream has ended by itself");
            stream.Dispose();
        }

        await Task.WhenAll(stopping).OrHang();

        async Task EachAsync(int number)
        {
            foreach (var (server, stream) in servers.Zip(streams))
            {
                server.ReleaseEvents();
                (await stream.NextAsync()).ShouldBe($"v1 {number}");
            }
        }
    }

    private static async Task<(Workload Workload, Caller Caller)> StartAsync(MeshLab lab, TimeProvider time)
    {
        lab.Folder.Save("services.yaml", Yaml.Service("echo"));
        await lab.StartControlPlaneAsync(options => options.PushDebounce = TimeSpan.Zero, time);
        var workload = await lab.StartWorkloadAsync("echo");
        await lab.WhenRegisteredAsync("echo", 1);
        var caller = await lab.StartCallerAsync();
        (await StatusAsync(caller)).ShouldBe((200, ""));
        return (workload, caller);
    }

    private static bool IsOf(RecordedStream stream, string name) => stream.NodeId.Contains($"~{name}-", StringComparison.Ordinal);

    private static List<string> EndpointsSent(MeshLab lab)
        => [.. lab.ControlPlane.Requests.Streams.SelectMany(s => s.Responses).Where(r => r.TypeUrl == TypeUrls.ClusterLoadAssignment).SelectMany(r => r.Resources).Select(r => r.Name)];

    private static async Task<(int Status, string Flags)> StatusAsync(Caller caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://echo/");
        using var response = await caller.Client.SendAsync(request);
        return ((int)response.StatusCode, request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : "");
    }

    private static async Task<string> VersionAsync(Caller caller)
    {
        using var response = await caller.Client.GetAsync("http://echo/");
        return response.Headers.GetValues(Workload.VersionHeader).Single();
    }
}
