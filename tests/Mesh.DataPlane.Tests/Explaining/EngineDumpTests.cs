using Mesh.DataPlane.Explaining;

namespace Mesh.DataPlane.Tests.Explaining;

/// <summary>What a process says of itself.</summary>
public sealed class EngineDumpTests
{
    [Fact]
    public async Task A_host_is_told_with_its_virtual_host_and_every_route_in_words()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();

        var host = EngineDump.HostsOf(mesh.Engine).ShouldHaveSingleItem();

        (host.Authority, host.Status, host.RouteConfiguration).ShouldBe(("reviews:9080", "Meshed", "9080"));
        host.VirtualHost!.Name.ShouldBe("reviews.default.svc.cluster.local:9080");
        host.VirtualHost.Domains.ShouldBe(["*"]);
        var routes = host.VirtualHost.Routes;
        routes.Count.ShouldBe(2);
        routes[0].Name.ShouldBe("jason");
        routes[0].Match.ShouldBe(["path begins with '/'", "header end-user is exactly 'jason'"]);
        routes[0].Action.ShouldBe($"to cluster {ExplainedMesh.V3}");
        routes[0].Policies.ShouldBe(["timeout 3 s", "retries 2 time(s) on 5xx"]);
        routes[1].Action.ShouldBe($"split: 90 to {ExplainedMesh.V1}, 10 to {ExplainedMesh.V3}");
        routes[1].Clusters.ShouldBe([new WeightDump(ExplainedMesh.V1, 90), new WeightDump(ExplainedMesh.V3, 10)]);
    }

    [Fact]
    public async Task An_ejected_endpoint_tells_why_and_how_long_still()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync();
        var cluster = mesh.Engine.Clusters.Find(ExplainedMesh.V3)!;
        cluster.Current.Endpoints.Endpoints[0].State.Monitor!.OnResponse(503);
        mesh.Time.Advance(TimeSpan.FromSeconds(4));

        var dump = EngineDump.ClustersOf(mesh.Engine, mesh.Time).Single(c => c.Name == ExplainedMesh.V3);

        (dump.Status, dump.LoadBalancing, dump.EjectedHosts).ShouldBe(("Ready", "ROUND_ROBIN", 1));
        dump.CircuitBreakers.Select(b => (b.Priority, b.MaxRequests)).ShouldBe([("default", 1024u), ("high", 1024u)]);
        var ejected = dump.Endpoints[0];
        (ejected.Address, ejected.Health, ejected.IsAvailable).ShouldBe(("127.0.0.1:3001", "Unhealthy", false));
        ejected.HealthFlags.ShouldBe(["failed_outlier_check"]);
        ejected.Ejection!.Reason.ShouldBe("Consecutive5xx");
        ejected.Ejection.LeftSeconds.ShouldBe(26);
        dump.Endpoints[1].HealthFlags.ShouldBeEmpty();
        dump.Shares.ShouldHaveSingleItem().Hosts.ShouldBe(1);
    }

    [Fact]
    public async Task A_route_that_asks_for_a_credential_does_not_tell_which()
    {
        await using var mesh = new ExplainedMesh();
        await mesh.StartAsync(routes =>
        {
            var route = ExplainedMesh.JasonToV3.Clone();
            route.Match.Headers[0].Name = "x-api-key";
            routes.VirtualHosts[0].Routes.Insert(0, route);
        });

        EngineDump.HostsOf(mesh.Engine).Single().VirtualHost!.Routes[0].Match.ShouldBe(["path begins with '/'", "header x-api-key is a value that is not shown"]);
    }
}
