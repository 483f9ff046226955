namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>A host that no Service knows, made of machines that are written down one by one.</summary>
public sealed class WorkloadEntryLabs
{
    private const string Host = "http://svc1.internal.com/";

    [Fact]
    [Trait("Lab", "C5")]
    public async Task A_service_entry_selects_its_machines_by_label_and_follows_them()
    {
        await using var mesh = await PodMesh.StartAsync("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: svc1}
            spec:
              hosts: [svc1.internal.com]
              ports: [{number: 80, name: http, protocol: HTTP}]
              location: MESH_INTERNAL
              resolution: STATIC
              workloadSelector: {labels: {app: foo}}
            """);
        var caller = mesh.Caller();
        (await caller.AskAsync(Host)).Status.ShouldBe(503, "a host that is known, and nobody is behind it");

        var first = await mesh.AddPodAsync("foo", "v1", LabPods.RequestLine);
        var stranger = await mesh.AddPodAsync("bar", "v1");
        (await caller.CountAsync(Host, 10)).ShouldBe(new Dictionary<string, int> { ["v1"] = 10 });
        (await caller.AskAsync(Host + "path?q")).Body.ShouldBe("GET svc1.internal.com /path?q");

        await mesh.AddPodAsync("foo", "v2");
        (await caller.CountAsync(Host, 100)).Keys.ShouldBe(["v1", "v2"], ignoreOrder: true);

        await mesh.RemovePodAsync(first);
        (await caller.CountAsync(Host, 10)).ShouldBe(new Dictionary<string, int> { ["v2"] = 10 });
        stranger.Served.ShouldBe(0);
    }
}
