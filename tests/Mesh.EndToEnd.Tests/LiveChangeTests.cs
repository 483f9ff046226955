namespace Mesh.EndToEnd.Tests;

/// <summary>Rules change under load.</summary>
public sealed class LiveChangeTests
{
    private const int Flips = 50;
    private static readonly string[] Versions = ["v1", "v2", "v3", "v4"];

    [Fact]
    public async Task Fifty_changes_under_load_fail_no_request_and_mix_no_configurations()
    {
        await using var lab = new MeshLab();
        string[] targets = ["http://echo", "http://echo2"];
        var tracker = new FlipTracker(targets, Versions.Length);
        void Save(int index) => lab.Folder.Save("rules.yaml", tracker.Rules("echo", index) + tracker.Rules("echo2", index));
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", Versions) + Yaml.Service("echo2", "http2", Versions));
        Save(0);
        await lab.StartControlPlaneAsync();
        foreach (var version in Versions)
        {
            await lab.StartWorkloadAsync("echo", version);
            await lab.StartWorkloadAsync("echo2", version, Protocol.Http2);
        }

        await lab.WhenRegisteredAsync("echo", Versions.Length);
        await lab.WhenRegisteredAsync("echo2", Versions.Length);
        var caller = await lab.StartCallerAsync();
        var load = new Load(lab.Log, caller.Client, targets, callers: 4, tracker);
        await load.MoreAsync(100);

        for (var index = 1; index <= Flips; index++)
        {
            await tracker.FlipAsync(index, () => Save(index)).OrHang($"configuration {index} of {Flips}; {load.Failures.FirstOrDefault()}\n{lab.Log}");
        }

        await load.StopAsync(atLeast: 4000);
    }

    [Fact]
    public async Task A_broken_file_saved_under_load_changes_nothing_and_is_told_with_line_and_column_until_it_is_mended()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1", "v2"));
        lab.Folder.Save("rules.yaml", Yaml.Split("echo", ("v1", 100)));
        await lab.StartControlPlaneAsync();
        await lab.StartWorkloadAsync("echo", "v1");
        await lab.StartWorkloadAsync("echo", "v2");
        await lab.WhenRegisteredAsync("echo", 2);
        var caller = await lab.StartCallerAsync();
        var load = new Load(lab.Log, caller.Client, ["http://echo"]);
        await load.MoreAsync(100);

        foreach (var (yaml, line, column, says) in new[]
        {
            ("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: echo\nspec:\n  hosts: [echo\n  http: oops", 6, 10, ""),
            (Yaml.Split("echo", ("v2", 100)).Replace("http:", "htpp:", StringComparison.Ordinal), 7, 3, "htpp"),
            (Yaml.Split("echo", ("v2", 60), ("v1", 30)).Replace("weight: 30", "weight: -30", StringComparison.Ordinal), 10, 0, "weight"),
        })
        {
            lab.Folder.Overwrite("rules.yaml", yaml);
            await lab.ControlPlane.WhenConfigAsync(store => store.Diagnostics.Any(d =>
                d.File.EndsWith("rules.yaml", StringComparison.Ordinal) && d.Line == line && (column == 0 ? d.Column > 0 : d.Column == column)
                && d.ToString().Contains(says, StringComparison.Ordinal)));
            await load.MoreAsync(200);
            (await VersionAsync(caller)).ShouldBe("v1");
            lab.Folder.Save("rules.yaml", Yaml.Split("echo", ("v1", 100)));
            await lab.ControlPlane.WhenConfigAsync(store => store.Diagnostics.Count == 0);
        }

        lab.Folder.Save("rules.yaml", Yaml.Split("echo", ("v2", 100)));
        await lab.ControlPlane.WhenLiveAsync("VirtualService", "\"v2\"");
        (await VersionAsync(caller)).ShouldBe("v2");
        await load.StopAsync(atLeast: 1000);
    }

    private static async Task<string> VersionAsync(Caller caller)
    {
        using var response = await caller.Client.GetAsync("http://echo/");
        return response.Headers.GetValues(Workload.VersionHeader).Single();
    }
}
