namespace Mesh.EndToEnd.Tests.Applications;

/// <summary>The applications as processes of their own, which find the mesh by one setting.</summary>
public sealed class DeployedLabs
{
    [Fact]
    [Trait("Lab", "L000-2")]
    public async Task Four_pods_are_in_the_mesh_as_soon_as_they_run_and_their_services_reach_them()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("istio-fev1-bev1.yaml", HelloWorld.Services + LabYaml.Split("myapp", ("v1", 100)) + HelloWorld.ForFrontends("v1", "v1"));
        await lab.StartControlPlaneAsync();

        // Nothing is injected: the applications carry the mesh in them.
        await Task.WhenAll(
            from app in new[] { "be", "myapp" }
            from version in new[] { "v1", "v2" }
            select LabProcess.StartAsync(lab, app, version, HelloWorld.Settings(app, version)));
        await lab.WhenRegisteredAsync("be", 2);
        await lab.WhenRegisteredAsync("myapp", 2);
        var caller = await lab.StartCallerAsync();

        for (var i = 0; i < 5; i++)
        {
            (await caller.Client.AskAsync(HelloWorld.Version)).Body.ShouldBe("1");
            (await caller.Client.AskAsync(HelloWorld.Hostz)).Body.ShouldContain("pod: [be-v1-7f4d]    node: [node-1]");
        }

        // And load, from a process that is an application of the mesh as well.
        var report = await LabProcess.LoadAsync("load", "-c", "2", "-qps", "0", "-n", "20", "-timeout", "30s", "-xds", lab.XdsAddress, HelloWorld.Hostz);
        report.ShouldContain("Starting at max qps with 2 thread(s)");
        report.ShouldContain("\nCode 200 : 20 (100.0 %)\n", Case.Sensitive, report);
        report.ShouldContain("\nAll done 20 calls (plus 0 warmup) ");
    }
}
