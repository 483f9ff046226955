using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Explaining;

/// <summary>The last decisions, and the same ones made again.</summary>
public sealed class DecisionLogTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Nothing_is_recorded_until_somebody_asks_and_nothing_after_the_time_is_over()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 0);

        Decide(mesh, log, host);
        log.Latest().ShouldBeEmpty();
        log.Watch(TimeSpan.FromSeconds(30));
        Decide(mesh, log, host);
        _time.Advance(TimeSpan.FromSeconds(30));
        Decide(mesh, log, host);

        log.Latest().ShouldHaveSingleItem();
        log.IsRecording.ShouldBeFalse();
    }

    [Fact]
    public async Task The_ring_keeps_the_latest_and_no_more_than_it_is_told()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 300);

        for (var i = 0; i < 1000; i++)
        {
            Decide(mesh, log, host);
        }

        log.Latest().Select(d => d.Number).ShouldBe(Enumerable.Range(0, 300).Select(i => 999L - i));
        log.Find(699).ShouldBeNull();
        log.Find(700)!.Number.ShouldBe(700);
        log.Clear();
        log.Latest().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_decision_is_explained_by_the_state_that_it_was_made_by()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 10);
        Decide(mesh, log, host, ("end-user", "jason"));

        // The route is gone, and the explanation is of then.
        mesh.Client.Set(Mesh.DataPlane.Resources.RouteConfigurationType.Instance, Resources.Routes("9080", Resources.Prefix("/", ExplainedMesh.V1)));
        var explanation = new RequestExplainer(mesh.Engine, mesh.Time).Explain(log.Latest()[0]);

        explanation.ReplayAgrees.ShouldBe(true);
        explanation.Cluster.ShouldBe(ExplainedMesh.V3);
        explanation.Routes[0].ShouldBe(new RouteVerdict(0, "jason", "chosen", "path begins with '/', header end-user is exactly 'jason'", $"to cluster {ExplainedMesh.V3}"));
    }

    [Fact]
    public async Task What_a_route_makes_of_the_request_afterwards_does_not_count()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 10);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/as-it-came");
        log.OnRouted(request);
        request.RequestUri = new Uri("http://reviews:9080/rewritten");

        log.OnDecided(host, request, 0, Decision(mesh, host, request));

        log.Latest()[0].Request.PathAndQuery.ShouldBe("/as-it-came");
    }

    [Fact]
    public async Task Cookies_and_credentials_are_kept_for_matchers_and_not_shown()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 10);
        Decide(mesh, log, host, ("cookie", "session=hush"), ("authorization", "Bearer hush"), ("end-user", "jason"));

        var snapshot = log.Latest()[0].Request;

        snapshot.ShownHeaders.Select(h => (h.Name.ToLowerInvariant(), h.Value)).ShouldBe([("cookie", "[redacted]"), ("authorization", "[redacted]"), ("end-user", "jason")], ignoreOrder: true);
        using var again = snapshot.ToMessage();
        again.Headers.GetValues("cookie").ShouldBe(["session=hush"]);
    }

    [Fact]
    public async Task However_long_a_request_is_little_of_it_is_kept()
    {
        await using var mesh = new ExplainedMesh();
        var host = await mesh.StartAsync();
        var log = new DecisionLog(_time, capacity: 10);
        Decide(mesh, log, host, [.. Enumerable.Range(0, 500).Select(i => ($"x-{i}", new string('x', 1000)))]);

        log.Latest()[0].Request.ShownHeaders.Sum(h => h.Name.Length + h.Value.Length).ShouldBeLessThanOrEqualTo(8 * 1024);
    }

    private static void Decide(ExplainedMesh mesh, DecisionLog log, HostEntry host, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/reviews/0");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        log.OnRouted(request);
        log.OnDecided(host, request, 0, Decision(mesh, host, request));
    }

    private static Decision Decision(ExplainedMesh mesh, HostEntry host, HttpRequestMessage request)
        => mesh.Engine.Decisions.Decide(host.State, new(request.RequestUri!.PathAndQuery, "GET", host.Authority, "http", HttpRequestHeaderReader.Instance, request), 0);
}
