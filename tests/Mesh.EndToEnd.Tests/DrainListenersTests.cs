using System.Diagnostics;
using System.Net;

namespace Mesh.EndToEnd.Tests;

/// <summary>A workload leaves the mesh because somebody asks its admin, and its process goes on.</summary>
public sealed class DrainListenersTests
{
    [Fact]
    public async Task A_drained_workload_is_sent_nothing_any_more_and_no_request_is_lost()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("echo"));
        var drained = await mesh.AddMeshPodAsync("echo", version: "v1");
        await mesh.AddMeshPodAsync("echo", version: "v2");
        var caller = (await mesh.AddMeshPodAsync("caller")).Client;
        (await VersionsAsync(caller, 20)).ShouldBe(["v1", "v2"]);
        using var admin = new HttpClient { BaseAddress = drained.Admin, Timeout = Guard.Hang };

        // Reading changes nothing.
        (await admin.GetStringAsync("/drain_listeners")).ShouldStartWith("not draining");
        (await admin.GetStringAsync("/ready")).ShouldBe("LIVE\n");
        (await (await admin.PostAsync("/drain_listeners?graceful", null)).Content.ReadAsStringAsync()).ShouldBe("OK\n");
        (await (await admin.PostAsync("/drain_listeners", null)).Content.ReadAsStringAsync()).ShouldBe("OK\n");

        // Until every client has been told requests may still come, and each of them is answered.
        var since = Stopwatch.StartNew();
        while (!mesh.Log.Lines.Any(line => line.Contains("Every client has stopped using this workload", StringComparison.Ordinal)))
        {
            since.Elapsed.ShouldBeLessThan(Guard.Hang, mesh.Log.ToString());
            await VersionsAsync(caller, 5);
        }

        (await VersionsAsync(caller, 40)).ShouldBe(["v2"]);
        using (var ready = await admin.GetAsync("/ready"))
        {
            ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            (await ready.Content.ReadAsStringAsync()).ShouldStartWith("DRAINING: ");
        }

        // Who asks it all the same is answered, and its connection ends.
        using var direct = new HttpClient { BaseAddress = drained.Address, Timeout = Guard.Hang };
        using var answer = await direct.GetAsync("/");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.ConnectionClose.ShouldBe(true);
    }

    private static async Task<IEnumerable<string>> VersionsAsync(HttpClient caller, int requests)
    {
        var versions = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < requests; i++)
        {
            var answer = await caller.AskAsync("http://echo/");
            answer.Status.ShouldBe(200);
            versions.Add(answer.Version);
        }

        return versions;
    }
}
