namespace Mesh.EndToEnd.Tests.LoadBalancing;

/// <summary>Taking turns against drawing lots, by DestinationRule. The mutual TLS of the same rules is not part of these tests.</summary>
public sealed class RoundRobinAndRandomLabs
{
    [Fact]
    [Trait("Lab", "L000-11")]
    public async Task Backends_take_turns()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v1", 100)) + Backends("ROUND_ROBIN"));

        (await gateway.CountAsync(HelloWorld.Version, 20)).ShouldBe(new Dictionary<string, int> { ["v1"] = 20 });

        // The lab sees turns that are "pretty much" taken, since each worker of a proxy takes turns of its own; one process takes them exactly.
        var order = await gateway.BackendsAsync(100);
        order.Repeats().ShouldBe(0);
        order.Count(version => version == "v1").ShouldBe(50);
    }

    [Fact]
    [Trait("Lab", "L000-12")]
    public async Task Backends_are_drawn_at_random_once_the_rule_says_so()
    {
        await using var mesh = await HelloWorld.StartAsync();
        var gateway = mesh.Caller(new MeshWorkload("istio-ingressgateway"));
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v1", 100)) + Backends("ROUND_ROBIN"));
        (await gateway.BackendsAsync(20)).Repeats().ShouldBe(0);

        await mesh.ApplyAsync(Backends("RANDOM"));
        var order = await gateway.BackendsAsync(400);

        // Five standard deviations each way: 5 × √(400 × ½ × ½) = 50.
        order.Count(version => version == "v1").ShouldBeInRange(150, 250);
        order.Repeats().ShouldBeInRange(150, 250);
    }

    [Fact]
    [Trait("Lab", "L000-12")]
    public async Task Draws_that_are_even_give_each_backend_exactly_its_share()
    {
        const int Requests = 1000;
        var even = new EvenPickRandomSource(Requests);
        await using var mesh = await HelloWorld.StartAsync(even);
        var frontend = mesh.Caller(HelloWorld.Frontend("v1"));
        await mesh.ApplyAsync(Backends("RANDOM"));
        await frontend.AskAsync(HelloWorld.Backend);

        even.Begin();
        (await frontend.CountAsync(HelloWorld.Backend, Requests)).ShouldBe(new Dictionary<string, int> { ["v1"] = 500, ["v2"] = 500 }, ignoreOrder: true);
    }

    [Fact]
    [Trait("Lab", "C2")]
    public async Task A_subset_takes_turns_while_the_others_draw_lots_as_the_host_says()
    {
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("my-svc")
            + LabYaml.DestinationRule("my-svc", """
                trafficPolicy: {loadBalancer: {simple: RANDOM}}
                subsets:
                - {name: v1, labels: {version: v1}}
                - {name: v2, labels: {version: v2}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
                - {name: v3, labels: {version: v3}}
                """)
            + LabYaml.VirtualService("my-svc", """
                - match: [{uri: {exact: /v1}}]
                  route: [{destination: {host: my-svc, subset: v1}}]
                - match: [{uri: {exact: /v2}}]
                  route: [{destination: {host: my-svc, subset: v2}}]
                - match: [{uri: {exact: /v3}}]
                  route: [{destination: {host: my-svc, subset: v3}}]
                """));
        foreach (var version in new[] { "v1", "v1", "v2", "v2", "v3", "v3" })
        {
            await mesh.AddPodAsync("my-svc", version);
        }

        var caller = mesh.Caller();
        foreach (var version in new[] { "v1", "v2", "v3" })
        {
            var order = new List<string>();
            for (var i = 0; i < 400; i++)
            {
                var answer = await caller.AskAsync($"http://my-svc/{version}");
                answer.Version.ShouldBe(version);
                order.Add(answer.Body);
            }

            order.Distinct().Count().ShouldBe(2);
            if (version == "v2")
            {
                order.Repeats().ShouldBe(0);
            }
            else
            {
                order.Repeats().ShouldBeInRange(150, 250, version);
                order.Count(name => name == order[0]).ShouldBeInRange(150, 250, version);
            }
        }
    }

    private static string Backends(string balancer)
        => LabYaml.DestinationRule("be", $$$"""
            trafficPolicy: {loadBalancer: {simple: {{{balancer}}} } }
            subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
            """);
}
