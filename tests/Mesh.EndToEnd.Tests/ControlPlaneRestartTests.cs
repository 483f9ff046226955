using Mesh.Xds.Ads;

namespace Mesh.EndToEnd.Tests;

/// <summary>The control plane dies and comes back while requests go on.</summary>
public sealed class ControlPlaneRestartTests
{
    private static readonly string[] Targets = ["http://echo", "http://echo2"];
    private static readonly string[] CallersKinds = [TypeUrls.Listener, TypeUrls.RouteConfiguration, TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment];

    [Fact]
    public async Task A_control_plane_that_is_killed_and_restarted_fails_no_request_and_is_told_once_what_is_known()
    {
        await using var lab = new MeshLab();
        Save(lab, "v1");
        await lab.StartControlPlaneAsync();
        await StartWorkloadsAsync(lab);
        await lab.WhenRegisteredAsync("echo", 2);
        await lab.WhenRegisteredAsync("echo2", 2);
        var caller = await lab.StartCallerAsync();
        var load = new Load(lab.Log, caller.Client, Targets);
        await load.MoreAsync(200);

        for (var round = 0; round < 3; round++)
        {
            await lab.KillControlPlaneAsync();
            await load.MoreAsync(500);
            await lab.StartControlPlaneAsync();

            // Four workloads and the caller, which asks for all four kinds.
            await lab.ControlPlane.Requests.WhenAsync(streams => streams.Count(stream => stream.NodeId.Length > 0) >= 5
                && streams.Any(stream => CallersKinds.All(kind => stream.Requests.Any(r => r.TypeUrl == kind))));
            await lab.ControlPlane.FlushAsync();
            await load.MoreAsync(500);

            foreach (var stream in lab.ControlPlane.Requests.Streams)
            {
                ShouldAskOnce(stream);
            }

            var callers = lab.ControlPlane.Requests.Streams.Where(stream => stream.Requests.Any(r => r.TypeUrl == TypeUrls.ClusterLoadAssignment)).ShouldHaveSingleItem();
            ShouldNotBeSentWhatItKnows(callers);
            callers.Responses.Where(r => r.TypeUrl == TypeUrls.ClusterLoadAssignment).SelectMany(r => r.Resources).ShouldBeEmpty("endpoints were changed by the restart");
        }

        // It is in charge again.
        Save(lab, "v2");
        await lab.ControlPlane.WhenLiveAsync("VirtualService", "\"v2\"");
        using var response = await caller.Client.GetAsync("http://echo/");
        response.Headers.GetValues(Workload.VersionHeader).Single().ShouldBe("v2");
        await load.StopAsync(atLeast: 3000);
    }

    [Fact]
    public async Task A_control_plane_that_remembers_nothing_takes_no_endpoints_away_before_their_workloads_could_come_back()
    {
        await using var lab = new MeshLab();
        Save(lab, "v1");
        await lab.StartControlPlaneAsync(options => options.RegistrationsFile = "");
        await StartWorkloadsAsync(lab);
        await lab.WhenRegisteredAsync("echo", 2);
        await lab.WhenRegisteredAsync("echo2", 2);
        var caller = await lab.StartCallerAsync();
        var load = new Load(lab.Log, caller.Client, Targets);
        await load.MoreAsync(200);
        for (var round = 0; round < 2; round++)
        {
            await lab.KillControlPlaneAsync();
            await load.MoreAsync(300);
            await lab.StartControlPlaneAsync(options => options.RegistrationsFile = "");
            await lab.WhenRegisteredAsync("echo", 2);
            await lab.WhenRegisteredAsync("echo2", 2);
            await load.MoreAsync(300);
        }

        await load.StopAsync(atLeast: 1000);
    }

    [Fact]
    public async Task A_control_plane_process_that_is_killed_and_restarted_fails_no_request_and_takes_over()
    {
        await using var lab = new MeshLab();
        Save(lab, "v1");
        var process = await ControlPlaneProcess.StartAsync(lab);
        await StartWorkloadsAsync(lab);
        await using var caller = await lab.StartCallerAsync();
        await WhenAnsweredAsync(caller, Targets);
        var load = new Load(lab.Log, caller.Client, Targets);
        await load.MoreAsync(200);
        for (var round = 0; round < 2; round++)
        {
            await process.KillAsync();
            Save(lab, round == 0 ? "v2" : "v1");
            await load.MoreAsync(500);
            process = await ControlPlaneProcess.StartAsync(lab);
            await WhenVersionAsync(caller, round == 0 ? "v2" : "v1");
            await load.MoreAsync(500);
        }

        await load.StopAsync();
        await process.KillAsync();
    }

    private static async Task StartWorkloadsAsync(MeshLab lab)
    {
        foreach (var version in new[] { "v1", "v2" })
        {
            await lab.StartWorkloadAsync("echo", version);
            await lab.StartWorkloadAsync("echo2", version, Protocol.Grpc);
        }
    }

    private static void Save(MeshLab lab, string version)
    {
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1", "v2") + Yaml.Service("echo2", "grpc", "v1", "v2"));
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", (version, 100)) + Yaml.Split("echo2", (version, 100)));
    }

    /// <summary>Workloads that have only just been told to register may take a moment to be known.</summary>
    private static async Task WhenAnsweredAsync(Caller caller, IEnumerable<string> targets)
    {
        foreach (var target in targets)
        {
            await UntilAsync(caller, target, response => response.IsSuccessStatusCode);
        }
    }

    private static Task WhenVersionAsync(Caller caller, string version)
        => UntilAsync(caller, "http://echo", response => response.Headers.GetValues(Workload.VersionHeader).Single() == version);

    private static async Task UntilAsync(Caller caller, string target, Func<HttpResponseMessage, bool> condition)
    {
        using var guard = new CancellationTokenSource(Guard.Hang);
        while (true)
        {
            using var response = await caller.Client.GetAsync(target + "/", guard.Token);
            if (condition(response))
            {
                return;
            }
        }
    }

    private static void ShouldAskOnce(RecordedStream stream)
    {
        foreach (var kind in stream.Requests.GroupBy(request => request.TypeUrl))
        {
            var subscribed = kind.SelectMany(request => request.ResourceNamesSubscribe).ToList();
            subscribed.Count.ShouldBe(subscribed.Distinct().Count(), $"{stream.NodeId} asked twice for some {kind.Key}: {string.Join(", ", subscribed)}");
        }
    }

    private static void ShouldNotBeSentWhatItKnows(RecordedStream stream)
    {
        foreach (var kind in CallersKinds)
        {
            var known = stream.Requests.First(request => request.TypeUrl == kind).InitialResourceVersions;
            known.ShouldNotBeEmpty($"{kind}: the new control plane was not told what is known");
            foreach (var resource in stream.Responses.Where(response => response.TypeUrl == kind).SelectMany(response => response.Resources))
            {
                known.GetValueOrDefaultOf(resource.Name).ShouldNotBe(resource.Version, $"{resource.Name} was sent although it is known");
            }
        }
    }
}
