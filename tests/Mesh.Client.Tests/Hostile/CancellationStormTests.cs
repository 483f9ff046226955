using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Clusters;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.Hostile;

/// <summary>Callers that leave at every moment, servers that fail every other time, and a configuration that changes below them.</summary>
public class CancellationStormTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Whenever_callers_leave_only_their_own_request_is_cancelled_and_everything_is_given_back(bool http2, bool hedged)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                var hit = Interlocked.Increment(ref hits);
                if (hit % 5 == 0)
                {
                    context.Abort();
                    return;
                }

                context.Response.StatusCode = hit % 3 == 0 ? 503 : 200;
                await context.Response.WriteAsync(new string('x', 3000));
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().ServeWith(
            r =>
            {
                r.Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(5));
                r.RetryPolicy = RouteRules.Retry("5xx,reset", 3);
                r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1));
                r.HedgePolicy = hedged ? new HedgePolicy { HedgeOnPerTryTimeout = true } : null;
            },
            http2,
            server.Port,
            server.Port);
        Limit(3);
        (await mesh.Client().GetAsync("http://reviews:9080/").Within()).Dispose();
        var breaker = mesh.Breaker();
        var states = new ConcurrentDictionary<EndpointState, bool>();
        var wrong = new ConcurrentBag<string>();
        var ok = 0;
        await Parallel.ForAsync(0, 1500, new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (i, _) =>
        {
            foreach (var state in mesh.Endpoints)
            {
                states.TryAdd(state, true);
            }

            if (i % 40 == 0)
            {
                // Below what is in use, and back.
                Limit((uint)(i / 40 % 4));
            }
            else if (i % 50 == 1)
            {
                mesh.SetEndpoints("reviews:9080", i % 100 == 1 ? [server.Port] : [server.Port, server.Port]);
            }

            using var cancel = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new ByteArrayContent(new byte[100]) };
            var leaving = (i % 3) switch
            {
                0 => Task.Run(async () =>
                {
                    for (var turns = 0; turns < i % 200; turns++)
                    {
                        await Task.Yield();
                    }

                    await cancel.CancelAsync();
                }),
                _ => Task.CompletedTask,
            };
            try
            {
                using var response = await mesh.Invoker().SendAsync(request, cancel.Token).Within();
                await response.Content.CopyToAsync(Stream.Null, cancel.Token).Within();
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    Interlocked.Increment(ref ok);
                }
            }
            catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
            {
                wrong.Add(e.ToString());
            }
            catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
            {
                // The caller's own doing, or a body that the server broke off.
            }

            await leaving;
        });

        await Hang.Until(() => states.Keys.All(s => s.ActiveRequests == 0) && mesh.Permits == 0);
        wrong.ShouldBeEmpty();
        ok.ShouldBeGreaterThan(50);
        states.Keys.ShouldAllBe(s => s.ActiveRequests == 0);
        breaker.ShouldHoldNothing();
        mesh.Permits.ShouldBe(0);

        void Limit(uint connections)
        {
            var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080")
                .WithThresholds(new() { MaxConnections = connections, MaxRequests = 8 + (connections * 2), MaxPendingRequests = 20, MaxRetries = connections });
            mesh.Use(http2 ? ClientMesh.Http2(cluster) : cluster);
        }
    }
}
