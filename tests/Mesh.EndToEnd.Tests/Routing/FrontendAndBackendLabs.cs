namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>
/// A frontend and its backend, steered apart. The caller stands where the ingress gateway stands; the gateway itself and its TLS
/// are not part of these tests, and rules that name it are given to the mesh instead.
/// </summary>
public sealed class FrontendAndBackendLabs
{
    [Fact]
    [Trait("Lab", "L000-4")]
    public async Task All_requests_reach_the_only_version_of_the_frontend_that_has_weight()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v1", 100)));

        (await gateway.CountAsync(HelloWorld.Version, 1000)).ShouldBe(new Dictionary<string, int> { ["v1"] = 1000 });
    }

    [Fact]
    [Trait("Lab", "L000-5")]
    public async Task The_frontend_reaches_only_the_backend_version_that_the_rule_for_it_names()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v1", 100)) + HelloWorld.ForFrontends("v1", "v1"));

        (await gateway.BackendsAsync(100)).ShouldAllBe(version => version == "v1");
    }

    [Fact]
    [Trait("Lab", "L000-6")]
    public async Task A_rule_by_source_labels_sends_those_who_carry_them_elsewhere_and_nobody_else()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v1", 100)) + HelloWorld.ForFrontends("v1", "v2"));

        (await gateway.BackendsAsync(100)).ShouldAllBe(version => version == "v2");
        (await gateway.CountAsync(HelloWorld.Version, 100)).Keys.ShouldBe(["v1"]);

        // Whose rule it is not, has no rule; and labels are what a workload is, not what a request says.
        foreach (var other in new[] { HelloWorld.Frontend("v2"), new MeshWorkload("sleep") { Version = "v1" } })
        {
            var counts = await mesh.Caller(other).CountAsync(HelloWorld.Backend, 100, ("app", "myapp"), ("version", "v1"), ("x-envoy-peer-metadata-id", "myapp-v1"));
            counts.Keys.ShouldBe(["v1", "v2"], ignoreOrder: true);
        }
    }

    [Fact]
    [Trait("Lab", "L000-7")]
    public async Task Both_versions_of_the_frontend_and_of_the_backend_share_the_requests()
    {
        // The page does not print these rules; half and half is what its 18 to 12 and 5 to 2 come from.
        var rules = LabYaml.Split("myapp", ("v1", 50), ("v2", 50)) + LabYaml.Split("be", ("v1", 50), ("v2", 50));
        const int Requests = 400;

        var even = new EvenRandomSource(Requests);
        await using (var mesh = await HelloWorld.StartAsync(even))
        {
            var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
            await mesh.ApplyAsync(rules);
            await gateway.AskAsync(HelloWorld.Version);
            even.Begin();
            (await gateway.CountAsync(HelloWorld.Version, Requests)).ShouldBe(new Dictionary<string, int> { ["v1"] = 200, ["v2"] = 200 }, ignoreOrder: true);
        }

        // By chance, five standard deviations each way: 5 × √(400 × ½ × ½) = 50.
        await using (var mesh = await HelloWorld.StartAsync())
        {
            var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
            await mesh.ApplyAsync(rules);
            (await gateway.VersionsAsync(HelloWorld.Version, Requests)).Count(version => version == "v1").ShouldBeInRange(150, 250);
            (await gateway.BackendsAsync(Requests)).Count(version => version == "v1").ShouldBeInRange(150, 250);
        }
    }
}
