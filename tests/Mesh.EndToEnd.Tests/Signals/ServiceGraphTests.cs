using System.Net;
using Mesh.ControlPlane.Load;
using Mesh.EndToEnd.Tests.Lab;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>The control plane knows who calls whom, at what rate and with which result, with nobody there but it and its clients.</summary>
public sealed class ServiceGraphTests
{
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        """;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Rates_arrive_by_workload_and_by_who_answers()
    {
        await using var mesh = await StartAsync();
        using var caller = mesh.Caller(ProductPage());
        for (var i = 0; i < 20; i++)
        {
            (await caller.GetAsync("http://reviews:9080/")).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var graph = await ReadAfterReportAsync(mesh);
        var edge = graph.Edges.ShouldHaveSingleItem();
        (edge.Source.Namespace, edge.Source.Workload, edge.Source.Version).ShouldBe(("default", "productpage", "v1"));
        (edge.Destination.Host, edge.Destination.Port).ShouldBe(("reviews.default.svc.cluster.local", 9080u));
        (edge.Rates.Requests, edge.Rates.Errors, edge.Rates.Attempts).ShouldBe((2, 0, 2));
        edge.Rates.ByStatus.ShouldBe(new Dictionary<string, double> { ["2xx"] = 2 });
        edge.Rates.MeanMilliseconds.ShouldNotBeNull();
        edge.Rates.ActiveConnections.ShouldBe(2);
        edge.Endpoints.Select(e => e.Workload!.Version).ShouldBe(["v1", "v2"], ignoreOrder: true);
        edge.Endpoints.Sum(e => e.Rates.Requests).ShouldBe(2, 1e-9);
    }

    [Fact]
    public async Task A_fault_shows_as_errors_although_nothing_was_sent()
    {
        await using var mesh = await StartAsync();
        await mesh.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: reviews}
            spec:
              hosts: [reviews]
              http:
              - match: [{headers: {end-user: {exact: jason}}}]
                fault: {abort: {percentage: {value: 100}, httpStatus: 500}}
                route: [{destination: {host: reviews}}]
              - route: [{destination: {host: reviews}}]
            """);
        using var caller = mesh.Caller(ProductPage());
        for (var i = 0; i < 10; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { "end-user", i % 2 == 0 ? "jason" : "somebody" } } };
            using var response = await caller.SendAsync(request);
            response.StatusCode.ShouldBe(i % 2 == 0 ? HttpStatusCode.InternalServerError : HttpStatusCode.OK);
        }

        var edge = (await ReadAfterReportAsync(mesh)).Edges.ShouldHaveSingleItem();
        (edge.Rates.Requests, edge.Rates.Errors, edge.Rates.Attempts).ShouldBe((1, 0.5, 0.5));
        edge.Dropped["mesh.fault_filter_abort"].ShouldBe(0.5, 1e-9);
    }

    [Fact]
    public async Task A_service_that_fails_shows_as_errors_of_the_workload_that_fails()
    {
        await using var mesh = await StartAsync(v2: HttpStatusCode.InternalServerError);
        using var caller = mesh.Caller(ProductPage());
        for (var i = 0; i < 20; i++)
        {
            await caller.GetAsync("http://reviews:9080/");
        }

        var edge = (await ReadAfterReportAsync(mesh)).Edges.ShouldHaveSingleItem();
        var failing = edge.Endpoints.Where(e => e.Rates.Errors > 0).ShouldHaveSingleItem();
        failing.Workload!.Version.ShouldBe("v2");
        failing.Rates.ErrorShare.ShouldBe(1, 1e-9);
        edge.Rates.Errors.ShouldBe(failing.Rates.Requests, 1e-9);
        edge.Rates.Requests.ShouldBe(2, 1e-9);
    }

    [Fact]
    public async Task A_process_that_dies_leaves_with_its_window()
    {
        await using var mesh = await StartAsync();
        using (var caller = mesh.Caller(ProductPage()))
        {
            await caller.GetAsync("http://reviews:9080/");
            (await ReadAfterReportAsync(mesh)).Edges.Count.ShouldBe(1);
        }

        // What the container of a process does when it ends.
        mesh.Engines[0].Dispose();
        await mesh.Engines[0].DisposeAsync();
        await UntilAsync(() => !Read(mesh).Clients.Single().IsConnected);
        mesh.Time.Advance(TimeSpan.FromMinutes(2));
        Read(mesh).Edges.ShouldBeEmpty("of the last minute");
        Graph(mesh).Read(TimeSpan.FromMinutes(5)).Edges.Count.ShouldBe(1);
        mesh.Time.Advance(TimeSpan.FromMinutes(5));
        Graph(mesh).Read(TimeSpan.FromMinutes(5)).Edges.ShouldBeEmpty();
    }

    [Fact]
    public async Task Whoever_says_never_reports_nothing()
    {
        await using var mesh = await StartAsync();
        using var silent = mesh.Caller(ProductPage(), configure: o => o.Xds.LoadReporting = MeshLoadReporting.Never);
        await silent.GetAsync("http://reviews:9080/");
        mesh.Engines[0].LoadReporter!.IsConnected.ShouldBeFalse();
        Read(mesh).Clients.ShouldBeEmpty();
    }

    private static MeshWorkload ProductPage() => new() { Name = "productpage", Version = "v1", Labels = { ["app"] = "productpage" } };

    private static async Task<PodMesh> StartAsync(HttpStatusCode v2 = HttpStatusCode.OK)
    {
        var mesh = await PodMesh.StartAsync(Reviews, reportsLoad: true);
        await mesh.AddPodAsync("reviews", "v1");
        await mesh.AddPodAsync("reviews", "v2", context =>
        {
            context.Response.StatusCode = (int)v2;
            return Task.CompletedTask;
        });
        return mesh;
    }

    private static ServiceGraphReader Graph(PodMesh mesh) => mesh.ControlPlane.GetRequiredService<ServiceGraphReader>();

    private static ServiceGraph Read(PodMesh mesh) => Graph(mesh).Read(TimeSpan.FromMinutes(1));

    /// <summary>Lets the caller report, and the control plane take it.</summary>
    private static async Task<ServiceGraph> ReadAfterReportAsync(PodMesh mesh)
    {
        var window = mesh.ControlPlane.GetRequiredService<LoadWindow>();
        var before = window.Reports;
        await UntilAsync(() => mesh.Engines.All(e => e.LoadReporter is { IsConnected: true, IsWaiting: true }));
        mesh.Time.Advance(Beat);
        await UntilAsync(() => window.Reports > before);
        return Read(mesh);
    }

    private static async Task UntilAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            since.Elapsed.ShouldBeLessThan(Guard.Hang, what);
            await Task.Delay(5);
        }
    }
}
