using System.Net;
using System.Net.Http.Headers;
using Envoy.Config.Endpoint.V3;
using Envoy.Type.V3;
using Mesh.Client.Tests.Servers;
using Mesh.Client.Tests.Tcp;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Thresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;

namespace Mesh.Client.Tests.LoadReporting;

/// <summary>What is counted of real requests to real servers: by Envoy's rules of what an error is, attempt by attempt, and what the caller got.</summary>
public class LoadCountingTests
{
    private const string Authority = "reviews:9080";
    private const string Url = $"http://{Authority}/";

    [Fact]
    public async Task Answers_count_when_they_have_ended_and_by_their_status()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Query["status"]!);
            return context.Response.StatusCode == 204 ? Task.CompletedTask : context.Response.WriteAsync("ok");
        });
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        foreach (var status in (int[])[200, 204, 404, 503])
        {
            using var response = await mesh.Client().GetAsync($"{Url}?status={status}", HttpCompletionOption.ResponseHeadersRead).Within();
            var open = Of(mesh, server.Port);
            EndpointLoad.InProgress(open.Read()).ShouldBe(status == 204 ? 0 : 1, "until its body has been read");
            await response.Content.ReadAsStringAsync().Within();
        }

        var load = Of(mesh, server.Port);
        Attempts(load).ShouldBe((4, 3, 1, 0));
        (load.Value(LoadCount.Requests2xx), load.Value(LoadCount.Requests4xx), load.Value(LoadCount.Requests5xx)).ShouldBe((2, 1, 1));
        load.Value(LoadCount.RequestMicroseconds).ShouldBeGreaterThan(0);
        (load.Value(LoadCount.Connections), load.Value(LoadCount.ConnectionsClosed)).ShouldBe((1, 0));
        load.Locality.ShouldBe("");
    }

    [Fact]
    public async Task Retries_count_where_they_went_and_the_caller_s_status_once()
    {
        var calls = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref calls) <= 2 ? 503 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 3), http2: false, server.Port);
        (await mesh.Client().GetAsync(Url).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        var load = mesh.Engine.Clusters.Loads.All.Single(c => c.Endpoints().Any(e => e.Value(LoadCount.Issued) > 0)).Endpoints().Single(e => e.Value(LoadCount.Issued) > 0);
        Attempts(load).ShouldBe((3, 1, 2, 0));
        (load.Value(LoadCount.Requests2xx), load.Value(LoadCount.Requests5xx)).ShouldBe((1, 0));
    }

    [Fact]
    public async Task A_host_that_cannot_be_reached_is_an_error_and_a_failed_connection()
    {
        var port = ClosedPort.Take();
        await using var mesh = ClientMesh.Create().Serve(Authority, port);
        (await mesh.Client().GetAsync(Url).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        var load = Of(mesh, port);
        Attempts(load).ShouldBe((1, 0, 1, 0));
        load.Value(LoadCount.ConnectFailures).ShouldBe(1);
        load.Value(LoadCount.Requests5xx).ShouldBe(1);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_neither_success_nor_error()
    {
        var asked = new TaskCompletionSource();
        var hold = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(async context =>
        {
            asked.TrySetResult();
            await hold.Task;
        });
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        using var patience = new CancellationTokenSource();
        var call = mesh.Client().GetAsync(Url, patience.Token);
        await asked.Task.Within();
        EndpointLoad.InProgress(Of(mesh, server.Port).Read()).ShouldBe(1);
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call.Within());
        hold.SetResult();

        var load = Of(mesh, server.Port);
        Attempts(load).ShouldBe((1, 0, 0, 1));
        load.Value(LoadCount.RequestsWithoutStatus).ShouldBe(1);
    }

    [Theory]
    [InlineData("0", 1, 0, 0)]
    [InlineData("5", 1, 0, 1)]
    [InlineData("14", 0, 1, 1)]
    public async Task A_gRPC_status_decides_be_it_in_trailers_and_only_those_of_a_server_s_failure_are_errors(string status, int succeeded, int failed, int grpcErrors)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                context.Response.DeclareTrailer("grpc-status");
                await context.Response.Body.WriteAsync(new byte[5]);
                context.Response.AppendTrailer("grpc-status", status);
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port, http2: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, Url) { Content = new ByteArrayContent(new byte[5]), Version = HttpVersion.Version20 };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var response = await mesh.Client().SendAsync(request).Within();

        var load = Of(mesh, server.Port);
        Attempts(load).ShouldBe((1, succeeded, failed, 0));
        load.Value(LoadCount.Requests2xx).ShouldBe(1);
        load.Value(LoadCount.GrpcErrors).ShouldBe(grpcErrors);
    }

    [Fact]
    public async Task What_the_control_plane_sheds_is_dropped_under_its_category()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        var endpoints = DataPlane.Tests.Resources.Endpoints(Authority, server.Port);
        endpoints.Policy = new ClusterLoadAssignment.Types.Policy
        {
            DropOverloads =
            {
                new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "never", DropPercentage = new FractionalPercent { Numerator = 0 } },
                new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "throttle", DropPercentage = new FractionalPercent { Numerator = 100 } },
                new ClusterLoadAssignment.Types.Policy.Types.DropOverload { Category = "too late", DropPercentage = new FractionalPercent { Numerator = 100 } },
            },
        };
        mesh.Xds.Set(EndpointsType.Instance, endpoints);
        for (var i = 0; i < 3; i++)
        {
            (await mesh.Client().GetAsync(Url).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        }

        var cluster = ClusterOf(mesh);
        cluster.Dropped.ToDictionary(d => d.Key, d => d.Value.Value).ShouldBe(new Dictionary<string, long> { ["throttle"] = 3 });
        cluster.Unsent.Value(LoadCount.Requests5xx).ShouldBe(3);
        Attempts(Of(mesh, server.Port)).ShouldBe((0, 0, 0, 0));
    }

    [Fact]
    public async Task Requests_that_find_no_permit_are_dropped_by_the_circuit_breakers()
    {
        var asked = new TaskCompletionSource();
        var hold = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(async context =>
        {
            asked.TrySetResult();
            await hold.Task;
        });
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        var cluster = DataPlane.Tests.Resources.Cluster(Authority);
        cluster.CircuitBreakers = new Envoy.Config.Cluster.V3.CircuitBreakers { Thresholds = { new Thresholds { MaxConnections = 1, MaxPendingRequests = 0, MaxRequests = 1 } } };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        var first = mesh.Client().GetAsync(Url);
        await asked.Task.Within();
        (await mesh.Client().GetAsync(Url).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        hold.SetResult();
        await first.Within();

        ClusterOf(mesh).Dropped.ToDictionary(d => d.Key, d => d.Value.Value).ShouldBe(new Dictionary<string, long> { ["circuit_breakers"] = 1 });
        Attempts(Of(mesh, server.Port)).ShouldBe((1, 1, 0, 0));
    }

    [Fact]
    public async Task Endpoints_metrics_are_read_where_the_cluster_asks_for_them()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.Headers["endpoint-load-metrics"] = "TEXT named_metrics.queue=4,cpu_utilization=0.3";
            return context.Response.WriteAsync("ok");
        });
        await using var mesh = ClientMesh.Create().Serve(Authority, server.Port);
        var cluster = DataPlane.Tests.Resources.Cluster(Authority);
        cluster.LrsServer = new() { Self = new() };
        cluster.LrsReportEndpointMetrics.Add("named_metrics.*");
        mesh.Xds.Set(ClusterType.Instance, cluster);
        await mesh.Client().GetStringAsync(Url).Within();
        await mesh.Client().GetStringAsync(Url).Within();

        ClusterOf(mesh).IsWanted.ShouldBeTrue();
        Of(mesh, server.Port).Orca!.Read().ShouldBe([("named_metrics.queue", 2, 8)]);
    }

    [Fact]
    public async Task Connections_count_with_their_bytes()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);
        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
        }

        var load = mesh.Engine.Clusters.Loads.All.SelectMany(c => c.Endpoints()).Single(e => e.Value(LoadCount.Connections) > 0);
        (load.Value(LoadCount.Connections), load.Value(LoadCount.ConnectionsClosed), load.Value(LoadCount.Issued)).ShouldBe((1, 1, 0));
        load.Value(LoadCount.BytesSent).ShouldBe("NAME\n".Length);
        load.Value(LoadCount.BytesReceived).ShouldBe("mysql-1\n".Length);
    }

    private static (long Issued, long Succeeded, long Failed, long Abandoned) Attempts(EndpointLoad load)
        => (load.Value(LoadCount.Issued), load.Value(LoadCount.Succeeded), load.Value(LoadCount.Failed), load.Value(LoadCount.Abandoned));

    private static ClusterLoad ClusterOf(ClientMesh mesh) => mesh.Engine.Clusters.Loads.All.Single(c => c.Name == Authority);

    private static EndpointLoad Of(ClientMesh mesh, int port) => ClusterOf(mesh).Endpoints().Single(e => e.Address is IPEndPoint address && address.Port == port);
}
