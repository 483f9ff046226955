namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>Versions of a service share its requests by weight.</summary>
public sealed class WeightedSplitLabs
{
    private const int Requests = 1000;
    private const string Customers = "http://customers.default.svc.cluster.local/";

    [Fact]
    [Trait("Lab", "P9")]
    public async Task A_second_version_takes_part_by_chance_until_rules_keep_it_out_and_then_by_the_weights_it_is_given()
    {
        var even = new EvenRandomSource(Requests);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("customers"), even);
        await mesh.AddAppAsync("customers", "v1");
        await mesh.AddAppAsync("customers", "v2");
        var frontend = mesh.Caller(new MeshWorkload("web-frontend"));

        (await frontend.CountAsync(Customers, 100)).Keys.ShouldBe(["v1", "v2"], ignoreOrder: true);

        await mesh.ApplyAsync(LabYaml.Subsets("customers", "v1", "v2") + LabYaml.Split("customers", ("v1", 0)));
        (await frontend.CountAsync(Customers, 100)).ShouldBe(new Dictionary<string, int> { ["v1"] = 100 });
        (await frontend.AskAsync(Customers)).Body.ShouldNotContain("city");

        await mesh.ApplyAsync(LabYaml.Split("customers", ("v1", 50), ("v2", 50)));
        even.Begin();
        (await frontend.CountAsync(Customers, Requests)).ShouldBe(new Dictionary<string, int> { ["v1"] = 500, ["v2"] = 500 }, ignoreOrder: true);
    }
}
