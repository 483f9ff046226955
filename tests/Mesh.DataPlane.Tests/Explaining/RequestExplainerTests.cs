using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Tests.Explaining;

/// <summary>Why would my request go there?</summary>
public sealed class RequestExplainerTests
{
    [Fact]
    public async Task Each_route_before_the_chosen_one_says_what_it_asks_for()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        var explanation = Explain(mesh, Get("reviews:9080", "/reviews/0"), draw: 0);

        explanation.Verdict.ShouldStartWith("to 127.0.0.1:100");
        explanation.VirtualHost.ShouldBe("reviews.default.svc.cluster.local:9080");
        explanation.Routes.Select(r => (r.Name, r.Verdict, r.Reason)).ShouldBe(
        [
            ("jason", "missed", "it asks for: header end-user is exactly 'jason'"),
            ("", "chosen", "path begins with '/'"),
        ]);
        explanation.Clusters.ShouldBe([new WeightDump(ExplainedMesh.V1, 90), new WeightDump(ExplainedMesh.V3, 10)]);
        explanation.Cluster.ShouldBe(ExplainedMesh.V1);
        explanation.Candidates.Count.ShouldBe(2);
        explanation.Candidates.ShouldAllBe(c => c.Percent == 100 && c.WhyNot == null);
        explanation.Candidates.Count(c => c.IsPicked).ShouldBe(1);
    }

    [Fact]
    public async Task The_same_draw_gives_the_same_answer_and_another_falls_elsewhere()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        var request = Get("reviews:9080", "/");

        Explain(mesh, request, draw: 0).Cluster.ShouldBe(ExplainedMesh.V1);
        Explain(mesh, request, draw: ulong.MaxValue).Cluster.ShouldBe(ExplainedMesh.V3);
        Explain(mesh, request, draw: ulong.MaxValue).Cluster.ShouldBe(ExplainedMesh.V3);
    }

    [Fact]
    public async Task A_header_leads_elsewhere_and_the_policies_of_that_route_are_told()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        var explanation = Explain(mesh, Get("reviews:9080", "/", ("end-user", "jason")), draw: 0);

        explanation.Cluster.ShouldBe(ExplainedMesh.V3);
        explanation.Policies.ShouldBe(["timeout 3 s", "retries 2 time(s) on 5xx"]);
        explanation.Routes.Select(r => r.Verdict).ShouldBe(["chosen", "not asked"]);
    }

    [Fact]
    public async Task A_rotation_does_not_move_on_because_somebody_asked()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        var endpoints = mesh.Engine.Clusters.Find(ExplainedMesh.V1)!.Current.Endpoints;

        for (var i = 0; i < 5; i++)
        {
            var said = Explain(mesh, Get("reviews:9080", "/"), draw: 0).Endpoint;
            Explain(mesh, Get("reviews:9080", "/"), draw: 0).Endpoint.ShouldBe(said);
            endpoints.Pick(new PickContext(0))!.ToString().ShouldBe(said);
        }
    }

    [Fact]
    public async Task Rotations_by_weight_do_not_move_on_either()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        mesh.Client.Set(EndpointsType.Instance, new ClusterLoadAssignment
        {
            ClusterName = ExplainedMesh.V1,
            Endpoints = { new LocalityLbEndpoints { LbEndpoints = { Resources.Endpoint("127.0.0.1", 1001, weight: 3), Resources.Endpoint("127.0.0.1", 1002) } } },
        });
        var endpoints = mesh.Engine.Clusters.Find(ExplainedMesh.V1)!.Current.Endpoints;

        for (var i = 0; i < 8; i++)
        {
            var said = Explain(mesh, Get("reviews:9080", "/"), draw: 0).Endpoint;
            endpoints.Pick(new PickContext(0))!.ToString().ShouldBe(said);
        }
    }

    [Fact]
    public async Task An_endpoint_that_cannot_be_picked_says_why()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        mesh.Engine.Clusters.Find(ExplainedMesh.V3)!.Current.Endpoints.Endpoints[0].State.Monitor!.OnResponse(503);
        mesh.Time.Advance(TimeSpan.FromSeconds(10));

        var explanation = Explain(mesh, Get("reviews:9080", "/", ("end-user", "jason")), draw: 0);

        explanation.Candidates[0].WhyNot.ShouldBe("it is ejected for Consecutive5xx, for another 20 s");
        explanation.Candidates[1].IsPicked.ShouldBeTrue();
        explanation.Endpoint.ShouldBe("127.0.0.1:3002");
    }

    [Fact]
    public async Task A_lower_priority_and_a_draining_host_say_why_they_take_nothing()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        mesh.Client.Set(EndpointsType.Instance, new ClusterLoadAssignment
        {
            ClusterName = ExplainedMesh.V1,
            Endpoints =
            {
                new LocalityLbEndpoints { LbEndpoints = { Resources.Endpoint("127.0.0.1", 1), Resources.Endpoint("127.0.0.1", 2, health: HealthStatus.Draining) } },
                new LocalityLbEndpoints { Priority = 1, LbEndpoints = { Resources.Endpoint("127.0.0.1", 3) } },
            },
        });

        var candidates = Explain(mesh, Get("reviews:9080", "/"), draw: 0).Candidates;

        candidates.Select(c => c.WhyNot).ShouldBe([null, "it is unhealthy: failed_eds_health, eds_status_draining", "priority 0 takes all requests"]);
    }

    [Fact]
    public async Task A_host_that_nobody_has_called_is_not_asked_for()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        var explanation = Explain(mesh, Get("ratings:9080", "/"), draw: 0);

        explanation.Verdict.ShouldBe("not known yet");
        mesh.Client.Watched.ShouldNotContain(w => w.Name == "ratings:9080");
        mesh.Engine.Hosts.All.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Nothing_is_counted_for_hosts_outside_of_the_mesh()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.Engine.Hosts.ResolveAsync("example.com", 80, CancellationToken.None).AsTask().WaitAsync(TimeSpan.Zero).ContinueWith(_ => { });
        mesh.Client.Remove(ListenerType.Instance, "example.com:80");

        var explanation = Explain(mesh, Get("example.com", "/"), draw: 0);

        explanation.Verdict.ShouldBe("outside of the mesh");
        mesh.Engine.Outbound.Status.PassthroughRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("reviews 9080", "/", "GET")]
    [InlineData("re<views>", "/", "GET")]
    [InlineData("", "/", "GET")]
    [InlineData("reviews:9080", "reviews", "GET")]
    [InlineData("reviews:9080", "/a b#c", "GET")]
    [InlineData("reviews:9080", "/", "G T")]
    [InlineData("reviews:99999", "/", "GET")]
    public async Task What_could_be_no_request_is_refused(string host, string path, string method)
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        Should.Throw<FormatException>(() => new RequestExplainer(mesh.Engine, mesh.Time).Explain(new SupposedRequest(host, method, path, [])));
    }

    [Theory]
    [InlineData("a b", "x")]
    [InlineData("", "x")]
    [InlineData("name", "x\r\ninjected: y")]
    public async Task Headers_that_could_not_be_sent_are_refused(string name, string value)
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        Should.Throw<FormatException>(() => Explain(mesh, Get("reviews:9080", "/", (name, value)), draw: 0));
    }

    [Fact]
    public async Task A_route_without_endpoints_is_answered_by_the_mesh()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        mesh.Client.Set(EndpointsType.Instance, Resources.Endpoints(ExplainedMesh.V1));

        Explain(mesh, Get("reviews:9080", "/"), draw: 0).Verdict.ShouldBe("answered by the mesh: 503 UH no_healthy_upstream");
    }

    [Fact]
    public async Task Values_of_parameters_that_let_somebody_in_are_not_repeated()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        Explain(mesh, Get("reviews:9080", "/?access_token=hush&page=2"), draw: 0).Request.ShouldBe("GET reviews:9080/?access_token=[redacted]&page=2");
    }

    private static SupposedRequest Get(string host, string path, params (string Name, string Value)[] headers) => new(host, "GET", path, headers);

    private static Explanation Explain(ExplainedMesh mesh, SupposedRequest request, ulong draw)
        => new RequestExplainer(mesh.Engine, mesh.Time).Explain(request with { Draw = draw });
}
