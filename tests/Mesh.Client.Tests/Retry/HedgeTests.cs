using System.Net;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.Testing;

namespace Mesh.Client.Tests.Retry;

/// <summary>Hedging: a try that takes too long gets company instead of an end, and the first good response wins.</summary>
public class HedgeTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _arrived = new(0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_first_good_response_wins_whichever_attempt_it_answers(int winner)
    {
        var connections = new List<RawConnection>();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            lock (connections)
            {
                connections.Add(connection);
            }

            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 1, server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new StringContent("a body") };
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(2));
        await _arrived.WaitAsync().Within();
        sending.IsCompleted.ShouldBeFalse();
        await connections[winner - 1].WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{winner}");

        using var response = await sending.Within();
        (await response.Content.ReadAsStringAsync()).ShouldBe(winner.ToString());
        response.RequestMessage.ShouldBeSameAs(request);
        request.Options.TryGetValue(MeshRequest.Attempts, out var attempts).ShouldBeTrue();
        attempts.ShouldBe(2);
        await ShouldHoldNothingAsync(mesh);
    }

    [Fact]
    public async Task A_failed_attempt_is_replaced_at_once()
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Interlocked.Increment(ref hits) == 1
                ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 1, server.Port);

        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("ok");

        hits.ShouldBe(2);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task When_all_fail_the_caller_sees_one_of_the_failures()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 2, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task The_timeout_over_all_tries_ends_them_all()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 1, server.Port);
        var sending = mesh.Client().GetAsync("http://reviews:9080/");
        await _arrived.WaitAsync().Within();
        _time.Advance(TimeSpan.FromSeconds(2));
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(8));

        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        await ShouldHoldNothingAsync(mesh);
    }

    [Fact]
    public async Task The_callers_cancellation_ends_them_all()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 1, server.Port);
        using var cancel = new CancellationTokenSource();
        var sending = mesh.Client().GetAsync("http://reviews:9080/", cancel.Token);
        await _arrived.WaitAsync().Within();
        _time.Advance(TimeSpan.FromSeconds(2));
        await _arrived.WaitAsync().Within();

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => sending.Within());
        await ShouldHoldNothingAsync(mesh);
    }

    [Fact]
    public async Task A_failed_attempt_gives_its_connection_to_the_one_that_replaces_it()
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync(Interlocked.Increment(ref hits) < 4
                    ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nnot today"
                    : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        await using var mesh = Mesh("5xx", 3, server.Port)
            .Use(DataPlane.Tests.Resources.Cluster("reviews:9080").WithThresholds(new() { MaxConnections = 1, MaxRetries = 1 }));

        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("ok");

        hits.ShouldBe(4);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task The_last_failure_comes_through_with_its_body()
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync($"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\n{Interlocked.Increment(ref hits)}");
            }
        });
        await using var mesh = Mesh("5xx", 2, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("3");
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task An_attempt_that_overflows_does_not_end_the_one_beside_it()
    {
        RawConnection? first = null;
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            first = connection;
            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("5xx", 2, server.Port)
            .Use(DataPlane.Tests.Resources.Cluster("reviews:9080").WithThresholds(new() { MaxConnections = 1, MaxRequests = 1, MaxPendingRequests = 0, MaxRetries = 3 }));
        var sending = mesh.Client().GetStringAsync("http://reviews:9080/");
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(2));

        // Two more are refused, and have given back what they held.
        var stats = mesh.Engine.Clusters.All.Single().Cluster.Stats;
        (await Hang.Until(() => stats.PendingOverflow.Value == 2 && mesh.Breaker().ActiveRetries == 0)).ShouldBeTrue();
        sending.IsCompleted.ShouldBeFalse();
        await first!.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

        (await sending.Within()).ShouldBe("ok");
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    // Attempts that have lost give back what they hold when they have noticed: the caller does not wait for them.
    private static async Task ShouldHoldNothingAsync(ClientMesh mesh)
    {
        await Hang.Until(() => mesh.ActiveRequests + mesh.Permits == 0);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    private ClientMesh Mesh(string on, uint retries, int port)
        => ClientMesh.Create(time: _time).ServeWith(
            r =>
            {
                r.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
                r.RetryPolicy = RouteRules.Retry(on, retries);
                r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(2));
                r.HedgePolicy = new HedgePolicy { HedgeOnPerTryTimeout = true };
            },
            http2: false,
            port);
}
