using System.Globalization;
using LoadGenerator;
using LoadGenerator.Connections;
using LoadGenerator.Reporting;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Resilience;

/// <summary>Callers side by side, and limits to what may be on its way: what is too much is answered 503 at once, and nothing else suffers.</summary>
public sealed class CircuitBreakerLabs
{
    private const string Httpbin = "http://httpbin:8000/get";
    private const string ProductPage = "http://productpage:9080/productpage";

    private const string OneAndOne = """
        apiVersion: networking.istio.io/v1alpha3
        kind: DestinationRule
        metadata: {name: httpbin}
        spec:
          host: httpbin
          trafficPolicy:
            connectionPool:
              tcp: {maxConnections: 1}
              http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 1}
            outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100}
        """;

    [Fact]
    [Trait("Lab", "A2-11")]
    public async Task Of_three_callers_with_twenty_requests_one_is_served_one_waits_and_one_is_refused_each_time()
    {
        using var gate = new SemaphoreSlim(0);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("httpbin", 8000) + OneAndOne);
        var pod = await mesh.AddPodAsync("httpbin", answer: Held(gate));
        var caller = mesh.Caller();
        var answers = new List<LabAnswer>();

        // Six times three callers, and once the two that are left of twenty.
        foreach (var callers in new[] { 3, 3, 3, 3, 3, 3, 2 })
        {
            var asking = Enumerable.Range(0, callers).Select(_ => caller.AskAsync(Httpbin)).ToList();
            if (callers == 3)
            {
                (await (await Task.WhenAny(asking)).OrHang()).Status.ShouldBe(503);
                asking.Count(task => task.IsCompleted).ShouldBe(1);
            }

            gate.Release(2);
            answers.AddRange(await Task.WhenAll(asking).OrHang());
        }

        answers.Count(answer => answer.Status == 200).ShouldBe(14);
        answers.Count(answer => answer is { Status: 503, Flags: "UO", Attempts: 1 }).ShouldBe(6);

        // One request to a connection; and a refusal is no failure of the pod, which one failure would have ejected.
        (pod.Served, pod.Connections).ShouldBe((14, 14));
        gate.Release();
        (await caller.AskAsync(Httpbin)).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    [InlineData(3, 2)]
    [Trait("Lab", "A2-11")]
    public async Task Of_twenty_requests_all_are_served_to_one_caller_and_to_two_and_some_to_three(int callers, int atLeast)
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("httpbin", 8000) + OneAndOne);
        var pod = await mesh.AddPodAsync("httpbin");

        // A third caller may be refused for as long as two requests last: only those are certain.
        var served = await LoadAsync(mesh.Caller(), $"load -c {callers} -qps 0 -n 20 {Httpbin}");

        served.ShouldBeInRange(atLeast, 20);
        (pod.Served, pod.Connections).ShouldBe((served, served));
    }

    // The lab says that what is on its way is stopped: it is let through, and the next request is refused.
    [Fact]
    [Trait("Lab", "A3-20")]
    public async Task With_four_callers_three_requests_are_on_their_way_and_the_fourth_is_refused()
    {
        using var gate = new SemaphoreSlim(0);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("productpage", 9080) + Limits("loadBalancer: {simple: ROUND_ROBIN}"));
        var pods = new List<Pod>();
        for (var i = 0; i < 4; i++)
        {
            pods.Add(await mesh.AddPodAsync("productpage", answer: Held(gate)));
        }

        // Each pod may always have a connection: on those lie the three.
        await ShouldRefuseTheFourthAsync(mesh.Caller(), gate);
        pods.Sum(pod => pod.Served).ShouldBe(60);
        pods.Sum(pod => pod.Connections).ShouldBe(60);
    }

    [Fact]
    [Trait("Lab", "A3-20")]
    public async Task Over_HTTP2_all_three_share_a_connection()
    {
        using var gate = new SemaphoreSlim(0);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("productpage", 9080, "http2") + Limits(requestsPerConnection: ""));
        var pod = await mesh.AddPodAsync("productpage", answer: Held(gate), port: "http2");

        await ShouldRefuseTheFourthAsync(mesh.Caller(), gate);
        (pod.Served, pod.Connections).ShouldBe((60, 1));
    }

    // The lab's 503s came over HTTP/1.1 to one pod, from a proxy with several threads that each had a connection. Where maxConnections counts for
    // the process as a whole, as it does here, the others wait, and without http1MaxPendingRequests as many as like.
    [Fact]
    [Trait("Lab", "A3-20")]
    public async Task To_a_single_pod_over_one_connection_four_callers_wait_for_each_other()
    {
        var (now, most) = (0, 0);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("productpage", 9080) + Limits());
        var pod = await mesh.AddPodAsync("productpage", answer: async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await Task.Yield();
            Interlocked.Decrement(ref now);
            await context.Response.WriteAsync("page");
        });

        (await LoadAsync(mesh.Caller(), $"load -c 4 -qps 0 -n 50 {ProductPage}")).ShouldBe(50);

        most.ShouldBe(1);
        (pod.Served, pod.Connections).ShouldBe((50, 50));
    }

    [Theory]
    [InlineData(1, 50)]
    [InlineData(3, 50)]
    [InlineData(4, 3)]
    [Trait("Lab", "A3-20")]
    public async Task Of_fifty_requests_all_are_served_to_one_caller_and_to_three_and_some_to_four(int callers, int atLeast)
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("productpage", 9080, "http2") + Limits(requestsPerConnection: ""));
        var pod = await mesh.AddPodAsync("productpage", port: "http2");

        var served = await LoadAsync(mesh.Caller(), $"load -c {callers} -qps 0 -n 50 {ProductPage}");

        served.ShouldBeInRange(atLeast, 50);
        pod.Served.ShouldBe(served);
    }

    private static async Task ShouldRefuseTheFourthAsync(HttpClient caller, SemaphoreSlim gate)
    {
        for (var round = 0; round < 20; round++)
        {
            var asking = Enumerable.Range(0, 4).Select(_ => caller.AskAsync(ProductPage)).ToList();
            var refused = await (await Task.WhenAny(asking)).OrHang();
            (refused.Status, refused.Flags).ShouldBe((503, "UO"));
            asking.Count(task => task.IsCompleted).ShouldBe(1);

            gate.Release(3);
            (await Task.WhenAll(asking).OrHang()).Count(answer => answer.Status == 200).ShouldBe(3);
        }
    }

    /// <summary>Runs the load generator of the labs: how many were served, all others having been refused.</summary>
    private static async Task<int> LoadAsync(HttpClient caller, string command)
    {
        var options = LoadOptions.Parse([.. command.Split(' '), "-timeout", "30s"]);
        var result = await LoadRun.RunAsync(options, () => new HttpClientConnection(options, caller), TimeProvider.System).OrHang();
        var report = new StringWriter();
        TextReport.Write(report, result);

        result.Calls.ShouldBe(options.Exactly);
        result.Codes.Keys.ShouldBeSubsetOf([200, 503], report.ToString());
        var served = result.Codes[200];
        report.ToString().ShouldContain(string.Create(CultureInfo.InvariantCulture, $"\nCode 200 : {served} ({100.0 * served / result.Calls:F1} %)\n"));
        return served;
    }

    private static RequestDelegate Held(SemaphoreSlim gate) => async context =>
    {
        await gate.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("page", context.RequestAborted);
    };

    private static string Limits(string more = "", string requestsPerConnection = ", maxRequestsPerConnection: 1") => $$"""
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: productpage}
        spec:
          host: productpage
          trafficPolicy:
            connectionPool: {tcp: {maxConnections: 1}, http: {http2MaxRequests: 3{{requestsPerConnection}} } }
            {{more}}
        """;
}
