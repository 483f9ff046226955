using System.Net;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;

namespace Mesh.Client.Tests.Retry;

/// <summary>A caller that leaves just as an attempt comes out: what the attempt holds is given back at once, not by the garbage collector.</summary>
public class CancelledRetryTests
{
    private const string Failure = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nnot today";
    private const string Success = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TrippingTime _time = new();

    [Fact]
    public async Task When_the_caller_leaves_before_the_first_retry_the_failed_response_is_let_go()
    {
        using var cancel = new CancellationTokenSource();
        using var server = Answering(hit =>
        {
            // The retries' own clock is the only timer of this request.
            _time.BeforeNextTimer(cancel.Cancel);
            return Failure;
        });
        await using var mesh = Mesh(server.Port, hedged: false);

        await ShouldLeaveNothingAsync(mesh, cancel, hedged: false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_the_caller_leaves_just_as_the_last_attempt_succeeds_its_response_is_let_go(bool hedged)
    {
        using var cancel = new CancellationTokenSource();
        using var server = Answering(hit =>
        {
            if (hit == 1)
            {
                return Failure;
            }

            // The pipeline reads the clock next when the attempt has come out.
            _time.BeforeNextTimestamp(cancel.Cancel);
            return Success;
        });
        await using var mesh = Mesh(server.Port, hedged);

        await ShouldLeaveNothingAsync(mesh, cancel, hedged);
    }

    private static RawServer Answering(Func<int, string> answer)
    {
        var hits = 0;
        return new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync(answer(Interlocked.Increment(ref hits)));
            }
        });
    }

    private static async Task ShouldLeaveNothingAsync(ClientMesh mesh, CancellationTokenSource cancel, bool hedged)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        HttpResponseMessage? response = null;
        try
        {
            // Without a client, which would dispose of a response that comes too late.
            response = await mesh.Invoker().SendAsync(request, cancel.Token).Within();
        }
        catch (OperationCanceledException)
        {
            cancel.IsCancellationRequested.ShouldBeTrue();
        }

        cancel.IsCancellationRequested.ShouldBeTrue();
        response?.Dispose();
        if (hedged)
        {
            // Attempts side by side are not waited for: they give back what they hold when they have noticed.
            await Hang.Until(() => mesh.ActiveRequests + mesh.Permits == 0);
        }

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    private ClientMesh Mesh(int port, bool hedged)
        => ClientMesh.Create(time: _time).ServeWith(
            r =>
            {
                r.Timeout = new Duration();
                r.RetryPolicy = RouteRules.Retry("5xx", 3);
                if (hedged)
                {
                    r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1));
                    r.HedgePolicy = new HedgePolicy { HedgeOnPerTryTimeout = true };
                }
            },
            http2: false,
            port);
}
