namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>One path has a version to itself, and all others share by weight. The rules are the gateway's in the labs and the mesh's here.</summary>
public sealed class PathAndFallbackLabs
{
    private const int Requests = 1000;
    private const string Other = "http://myapp.default.svc.cluster.local:8080/";

    [Fact]
    [Trait("Lab", "L000-8")]
    public async Task An_exact_path_goes_to_one_version_and_every_other_path_by_weight()
    {
        var even = new EvenRandomSource(Requests);
        await using var mesh = await HelloWorld.StartAsync(even);
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(PathOrSplit("/version", 20, 80));
        await gateway.AskAsync(Other);

        (await gateway.CountAsync(HelloWorld.Version, 100)).ShouldBe(new Dictionary<string, int> { ["v1"] = 100 });
        (await gateway.CountAsync(HelloWorld.Version + "?a=b", 10)).Keys.ShouldBe(["v1"], ignoreOrder: true, "the query is not part of the path");
        foreach (var path in new[] { "", "version/", "VERSION", "headerz" })
        {
            even.Begin();
            (await gateway.CountAsync(Other + path, Requests)).ShouldBe(Shares(200, 800), ignoreOrder: true, path);
        }
    }

    [Fact]
    [Trait("Lab", "L000-8")]
    public async Task By_chance_the_other_paths_are_within_five_standard_deviations_of_their_weights()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(PathOrSplit("/version", 20, 80));

        var order = await gateway.VersionsAsync(Other, Requests);

        // 5 × √(1000 × 0.2 × 0.8) = 63; and taking turns would never give the first version twice in a row.
        order.Count(version => version == "v1").ShouldBeInRange(137, 263);
        order.Zip(order.Skip(1)).ShouldContain(pair => pair.First == "v1" && pair.Second == "v1");
    }

    [Fact]
    [Trait("Lab", "L000-9")]
    public async Task A_match_that_is_edited_and_put_back_takes_effect_each_time_without_a_restart()
    {
        var even = new EvenRandomSource(Requests);
        await using var mesh = await HelloWorld.StartAsync(even);
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(PathOrSplit("/version", 20, 80));
        (await gateway.CountAsync(HelloWorld.Version, 20)).ShouldBe(new Dictionary<string, int> { ["v1"] = 20 });

        await mesh.ApplyAsync(PathOrSplit("/xversion", 20, 80));
        even.Begin();
        (await gateway.CountAsync(HelloWorld.Version, Requests)).ShouldBe(Shares(200, 800), ignoreOrder: true);

        await mesh.ApplyAsync(PathOrSplit("/version", 20, 80));
        (await gateway.CountAsync(HelloWorld.Version, 20)).ShouldBe(new Dictionary<string, int> { ["v1"] = 20 });
    }

    [Fact]
    [Trait("Lab", "L000-10")]
    public async Task A_canary_takes_over_weight_by_weight()
    {
        var even = new EvenRandomSource(Requests);
        await using var mesh = await HelloWorld.StartAsync(even);
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        foreach (var (old, canary) in new[] { (100, 0), (80, 20), (50, 50), (1, 99), (0, 100) })
        {
            await mesh.ApplyAsync(PathOrSplit("/xversion", old, canary));
            await gateway.AskAsync(HelloWorld.Version);
            even.Begin();
            (await gateway.CountAsync(HelloWorld.Version, Requests)).ShouldBe(Shares(old * Requests / 100, canary * Requests / 100), ignoreOrder: true, $"{old}/{canary}");
        }
    }

    private static Dictionary<string, int> Shares(int v1, int v2)
        => new[] { ("v1", v1), ("v2", v2) }.Where(share => share.Item2 > 0).ToDictionary(share => share.Item1, share => share.Item2);

    private static string PathOrSplit(string path, int v1, int v2)
        => LabYaml.VirtualService("myapp", $$$"""
            - match: [{uri: {exact: {{{path}}} } }]
              route: [{destination: {host: myapp, subset: v1}}]
            - route:
              - {destination: {host: myapp, subset: v1}, weight: {{{v1}}} }
              - {destination: {host: myapp, subset: v2}, weight: {{{v2}}} }
            """);
}
