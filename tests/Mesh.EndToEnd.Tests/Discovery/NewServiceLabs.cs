namespace Mesh.EndToEnd.Tests.Discovery;

/// <summary>What a caller knows grows with the mesh.</summary>
public sealed class NewServiceLabs
{
    [Fact]
    [Trait("Lab", "L004-8")]
    public async Task A_service_that_is_added_becomes_a_cluster_of_callers_that_run_already()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("service-two"));
        await mesh.AddPodAsync("service-two");
        var client = mesh.Caller(new MeshWorkload("service-one"));
        (await client.AskAsync("http://service-two/")).Status.ShouldBe(200);
        (await client.AskAsync("http://nginx-nginx:9999/")).ShouldSatisfyAllConditions(
            answer => answer.Status.ShouldBe(503, "a bare name can only be a service, and there is none"),
            answer => answer.Version.ShouldBeEmpty());
        var before = Clusters(mesh);
        before.Keys.ShouldNotContain(name => name.Contains("nginx", StringComparison.Ordinal));

        await mesh.ApplyAsync(LabYaml.Service("nginx-nginx", 9999));
        var first = await mesh.AddPodAsync("nginx-nginx");
        var second = await mesh.AddPodAsync("nginx-nginx");

        (await client.CountAsync("http://nginx-nginx:9999/", 100)).ShouldBe(new Dictionary<string, int> { ["v1"] = 100 });
        first.Served.ShouldBeGreaterThan(0);
        second.Served.ShouldBeGreaterThan(0);
        var added = Clusters(mesh).ExceptBy(before.Keys, cluster => cluster.Key).ShouldHaveSingleItem();
        added.Key.ShouldBe("outbound|9999||nginx-nginx.default.svc.cluster.local");
        added.Value.ShouldBe(2);
        Clusters(mesh).Keys.ShouldBeSubsetOf([.. before.Keys, added.Key]);

        // A third replica is a host of the same cluster.
        await mesh.AddPodAsync("nginx-nginx");
        Clusters(mesh)[added.Key].ShouldBe(3);
    }

    /// <summary>The hosts of each cluster that the caller has.</summary>
    private static Dictionary<string, int> Clusters(PodMesh mesh)
        => mesh.Engines[0].Clusters.All.ToDictionary(subscription => subscription.Cluster.Name, subscription => subscription.Cluster.Current.Endpoints.Endpoints.Count);
}
