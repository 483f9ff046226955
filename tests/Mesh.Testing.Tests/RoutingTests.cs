using System.Net;

namespace Mesh.Testing.Tests;

public sealed class RoutingTests
{
    [Fact]
    public async Task Splits_ninety_to_ten_exactly_when_chance_is_even()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.Split(90, 10)), options => options.Random = new EvenRandomSource());
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");

        var answers = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            answers.Add(await client.GetStringAsync("/reviews/1"));
        }

        answers.Count(a => a == "v1").ShouldBe(180);
        answers.Count(a => a == "v2").ShouldBe(20);
    }

    [Fact]
    public async Task Draws_the_same_split_in_every_run_with_the_same_seed()
    {
        (await RunAsync(7)).ShouldBe(await RunAsync(7));
        (await RunAsync(7)).ShouldNotBe(await RunAsync(8));

        static async Task<string> RunAsync(ulong seed)
        {
            await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.Split(50, 50)), options => options.Seed = seed);
            mesh.AddEndpoint("reviews", version: "v1", Respond.With("1"));
            mesh.AddEndpoint("reviews", version: "v2", Respond.With("2"));
            using var client = mesh.CreateClient("http://reviews:9080");
            var answers = "";
            for (var i = 0; i < 64; i++)
            {
                answers += await client.GetStringAsync("/");
            }

            return answers;
        }
    }

    [Fact]
    public async Task Sends_jason_to_v2_and_everybody_else_to_v1()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.JasonToV2));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");

        (await client.GetStringAsync("/reviews/1")).ShouldBe("v1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/reviews/1") { Headers = { { "end-user", "jason" } } };
        using var response = await client.SendAsync(request);
        (await response.Content.ReadAsStringAsync()).ShouldBe("v2");
    }

    [Theory]
    [InlineData("http://reviews:9080")]
    [InlineData("http://reviews.default:9080")]
    [InlineData("http://reviews.default.svc:9080")]
    [InlineData("http://reviews.default.svc.cluster.local:9080")]
    public async Task Knows_a_service_by_all_its_names(string address)
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        using var client = mesh.CreateClient(address);

        (await client.GetStringAsync("/")).ShouldBe("v1");
    }

    [Fact]
    public async Task Answers_503_when_the_route_names_a_subset_that_nobody_defines()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.AllV1.Replace("subset: v1", "subset: v9", StringComparison.Ordinal)));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        using var client = mesh.CreateClient("http://reviews:9080");

        using var response = await client.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        mesh.Decisions.ShouldHaveSingleItem().ResponseFlags.ShouldBe("NC");
        mesh.Diagnostics.ShouldHaveSingleItem().ShouldContain("v9");
    }

    [Fact]
    public async Task Lets_two_workloads_see_different_routes()
    {
        const string BySource = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts:
              - reviews
              http:
              - match:
                - sourceLabels:
                    app: canary
                route:
                - destination:
                    host: reviews
                    subset: v2
              - route:
                - destination:
                    host: reviews
                    subset: v1
            """;
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, BySource));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var page = mesh.CreateClient("http://reviews:9080", new MeshWorkload("productpage"));
        using var canary = mesh.CreateClient("http://reviews:9080", new MeshWorkload("canary"));

        (await page.GetStringAsync("/")).ShouldBe("v1");
        (await canary.GetStringAsync("/")).ShouldBe("v2");
        mesh.Decisions.Select(d => $"{d.Source} {d.Endpoint!.Version}").ShouldBe(["productpage v1", "canary v2"]);
    }

    [Fact]
    public async Task Says_what_is_missing_when_no_service_has_the_name()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        using var client = mesh.CreateClient("http://ratings:9080");

        using var response = await client.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldContain("no configuration for ratings:9080");
        var decision = mesh.Decisions.ShouldHaveSingleItem();
        decision.IsMeshed.ShouldBeFalse();
        decision.ResponseFlags.ShouldBe("NR");
        decision.Explanation.ShouldHaveSingleItem().ShouldContain("ratings:9080: Unknown");
    }

    [Fact]
    public async Task Never_lets_its_own_clients_out_of_the_mesh()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        using var client = mesh.CreateClient("http://www.example.com");

        using var response = await client.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        var decision = mesh.Decisions.ShouldHaveSingleItem();
        decision.IsMeshed.ShouldBeFalse();
        decision.Explanation.ShouldHaveSingleItem().ShouldContain("REGISTRY_ONLY");
    }
}
