using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Testing.Tests;

public sealed class DecisionTests
{
    [Fact]
    public async Task Says_why_a_request_went_where_it_went()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.JasonToV2));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.Time.Advance(TimeSpan.FromHours(1));
        using var client = mesh.CreateClient("http://reviews:9080");
        await client.GetStringAsync("/reviews/1?x=y");

        var decision = mesh.Decisions.ShouldHaveSingleItem();

        decision.Source.ShouldBe("test");
        decision.Authority.ShouldBe("reviews:9080");
        decision.Method.ShouldBe("GET");
        decision.Path.ShouldBe("/reviews/1?x=y");
        decision.Route.ShouldBe("everybody");
        decision.RouteIndex.ShouldBe(1);
        decision.Cluster.ShouldBe("outbound|9080|v1|reviews.default.svc.cluster.local");
        decision.Endpoint.ShouldNotBeNull().Version.ShouldBe("v1");
        decision.Time.ShouldBe(mesh.Time.GetUtcNow());
        decision.RouteVersion.ShouldNotBeEmpty();
        decision.ListenerVersion.ShouldNotBeEmpty();
        decision.ClusterVersion.ShouldNotBeEmpty();
        decision.Explanation.ShouldContain(line => line.Contains("routes[0] 'jason' does not match, it asks for: header end-user is exactly 'jason'"));
        decision.Explanation.ShouldContain(line => line.Contains("routes[1] 'everybody' matches"));
        decision.Explanation[^1].ShouldContain(decision.Endpoint!.Address);
        decision.ToString().ShouldContain("GET reviews:9080/reviews/1?x=y from test");
        decision.ToString().ShouldContain(decision.Explanation[0]);
    }

    [Fact]
    public async Task Explains_a_request_as_it_was_when_it_was_decided()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.JasonToV2));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "end-user", "jason" } } };
        using var response = await client.SendAsync(request);

        request.Headers.Remove("end-user");
        mesh.Apply(Yaml.AllV1);
        await mesh.SettledAsync();

        mesh.Decisions.ShouldHaveSingleItem().Explanation.ShouldContain(line => line.Contains("routes[0] 'jason' matches"));
    }

    [Fact]
    public async Task Shows_what_the_dice_said_about_a_split()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.Split(25, 75)));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        using var client = mesh.CreateClient("http://reviews:9080");
        await client.GetStringAsync("/");

        var decision = mesh.Decisions.ShouldHaveSingleItem();

        decision.Explanation.ShouldContain(line => line.Contains("25") && line.Contains("75") && line.Contains($"{decision.Draw:x16}"));
    }

    [Fact]
    public async Task Gives_the_same_answer_when_a_recorded_draw_is_replayed()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.Split(50, 50)));
        AddTwelve(mesh);
        using var client = mesh.CreateClient("http://reviews:9080");
        for (var i = 0; i < 20; i++)
        {
            await client.GetStringAsync("/");
        }

        mesh.Decisions.Select(d => d.Endpoint!.Address).Distinct().Count().ShouldBeGreaterThan(4);
        foreach (var recorded in mesh.Decisions)
        {
            var draw = new FixedRandomSource(recorded.Draw);
            await using var replay = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.Split(50, 50)), options => options.Random = draw);
            AddTwelve(replay);
            using var again = replay.CreateClient("http://reviews:9080");
            await again.GetStringAsync("/");

            var replayed = replay.Decisions.ShouldHaveSingleItem();
            replayed.Cluster.ShouldBe(recorded.Cluster);
            replayed.Endpoint!.Address.ShouldBe(recorded.Endpoint!.Address);
            replayed.Explanation.ShouldBe(recorded.Explanation);
        }

        static void AddTwelve(MeshTestHost mesh)
        {
            for (var i = 0; i < 12; i++)
            {
                mesh.AddEndpoint("reviews", version: i % 2 == 0 ? "v1" : "v2", Respond.With("ok"));
            }
        }
    }

    [Fact]
    public async Task Remembers_only_the_last_decisions_and_forgets_them_when_told()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews, options => options.MaxDecisions = 3);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        using var client = mesh.CreateClient("http://reviews:9080");
        for (var i = 0; i < 5; i++)
        {
            await client.GetStringAsync($"/{i}");
        }

        mesh.Decisions.Select(d => d.Path).ShouldBe(["/2", "/3", "/4"]);

        mesh.Decisions.Clear();
        mesh.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task Records_what_an_application_sends_outside_the_mesh()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddMeshClient();
        services.AddHttpClient("world").ConfigurePrimaryHttpMessageHandler(() => new GatedHandler("the world"));
        mesh.Configure(services);
        await using var application = services.BuildServiceProvider();
        using var client = application.GetRequiredService<IHttpClientFactory>().CreateClient("world");

        (await client.GetStringAsync("http://www.example.com/page")).ShouldBe("the world");

        var decision = mesh.Decisions.ShouldHaveSingleItem();
        decision.IsMeshed.ShouldBeFalse();
        decision.Authority.ShouldBe("www.example.com");
        decision.ToString().ShouldContain("outside the mesh");
    }

    private sealed class FixedRandomSource(ulong value) : IRandomSource
    {
        public ulong NextUInt64() => value;
    }
}
