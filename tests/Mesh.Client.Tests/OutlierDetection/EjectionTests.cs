using System.Net;
using Envoy.Config.Cluster.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;

namespace Mesh.Client.Tests.OutlierDetection;

/// <summary>What hosts really do to real requests is what outlier detection hears of.</summary>
public class EjectionTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData("500", "consecutive_5xx")]
    [InlineData("503", "gateway")]
    [InlineData("reset", "consecutive_5xx")]
    [InlineData("closed", "consecutive_5xx")]
    [InlineData("closed", "local")]
    public async Task A_host_that_fails_three_times_in_a_row_gets_no_more_requests_until_its_time_is_over(string failure, string detector)
    {
        var failures = 0;
        var failing = true;
        using var bad = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                if (!Volatile.Read(ref failing))
                {
                    await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    continue;
                }

                Interlocked.Increment(ref failures);
                if (failure == "reset")
                {
                    connection.Reset();
                    return;
                }

                await connection.WriteAsync($"HTTP/1.1 {failure} x\r\nContent-Length: 0\r\n\r\n");
            }
        });
        await using var good = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        var port = failure == "closed" ? ClosedPort.Take() : bad.Port;
        await using var mesh = Mesh(detector, port, good.Port);

        // Round robin: each second request meets the bad host, until it has failed three times.
        var codes = await StatusesAsync(mesh, 20);
        codes.Count(c => c != HttpStatusCode.OK).ShouldBe(3);
        if (failure != "closed")
        {
            failures.ShouldBe(3);
        }

        // Its pool is left alone, its time is 30 seconds, looked at every 10.
        Volatile.Write(ref failing, false);
        _time.Advance(TimeSpan.FromSeconds(29));
        Health(mesh, port).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(11));
        Health(mesh, port).ShouldBeTrue();
        (await StatusesAsync(mesh, 4)).Count(c => c != HttpStatusCode.OK).ShouldBe(failure == "closed" ? 2 : 0);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_not_the_hosts_failure()
    {
        var arrived = new SemaphoreSlim(0);
        using var slow = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh("consecutive_5xx", slow.Port);
        for (var i = 0; i < 5; i++)
        {
            using var cancel = new CancellationTokenSource();
            var sending = mesh.Client().GetAsync("http://reviews:9080/", cancel.Token);
            await arrived.WaitAsync().Within();
            await cancel.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => sending.Within());
        }

        Health(mesh, slow.Port).ShouldBeTrue();
    }

    private static bool Health(ClientMesh mesh, int port)
        => mesh.Engine.Clusters.All.SelectMany(c => c.Cluster.Current.Endpoints.Endpoints)
            .Single(e => ((IPEndPoint)e.Resource.Address).Port == port).Health == EndpointHealth.Healthy;

    private static async Task<List<HttpStatusCode>> StatusesAsync(ClientMesh mesh, int count)
    {
        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < count; i++)
        {
            // A body keeps the framework from repeating a request by itself.
            using var response = await mesh.Client().PostAsync("http://reviews:9080/", new StringContent("x")).Within();
            codes.Add(response.StatusCode);
        }

        return codes;
    }

    private ClientMesh Mesh(string detector, params int[] ports)
    {
        var mesh = ClientMesh.Create(time: _time).ServeWith(_ => { }, http2: false, ports);
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080");
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection
        {
            MaxEjectionPercent = 100,
            EnforcingSuccessRate = 0,
            Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
            BaseEjectionTime = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
            SplitExternalLocalOriginErrors = detector == "local",
            Consecutive5Xx = detector == "consecutive_5xx" ? 3u : 100,
            EnforcingConsecutive5Xx = 100,
            ConsecutiveGatewayFailure = detector == "gateway" ? 3u : 100,
            EnforcingConsecutiveGatewayFailure = 100,
            ConsecutiveLocalOriginFailure = detector == "local" ? 3u : 100,
            EnforcingConsecutiveLocalOriginFailure = 100,
        };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        return mesh;
    }
}
