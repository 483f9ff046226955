using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using EnvoyAction = Envoy.Config.Route.V3.RouteAction;

namespace Mesh.Client.Tests.Timeouts;

/// <summary>Envoy's clocks, in virtual time, against servers that really keep the caller waiting.</summary>
public class TimeoutTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _arrived = new(0);

    [Fact]
    public async Task A_server_that_never_answers_is_a_504_with_UT_when_the_timeout_is_over()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(2.999));
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.001));

        using var response = await sending.Within();
        await ShouldBeAsync(response, request, HttpStatusCode.GatewayTimeout, "UT", "response_timeout", "upstream request timeout");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_word_about_it_the_timeout_is_15_seconds()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = null, server.Port);
        var sending = mesh.Client().GetAsync("http://reviews:9080/");
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(14.999));
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.001));

        (await sending.Within()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    [Fact]
    public async Task The_callers_token_is_for_the_headers_as_with_any_handler()
    {
        var cancelled = new TaskCompletionSource();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            await cancelled.Task;
            await connection.WriteAsync("half");
        });
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var cancel = new CancellationTokenSource();
        using var response = await mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), cancel.Token).Within();

        await cancel.CancelAsync();
        cancelled.SetResult();

        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("halfhalf");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task The_callers_own_token_is_the_callers_own_cancellation()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var cancel = new CancellationTokenSource();
        var sending = mesh.Client().GetAsync("http://reviews:9080/", cancel.Token);
        await _arrived.WaitAsync().Within();

        await cancel.CancelAsync();

        var cancelled = await Should.ThrowAsync<TaskCanceledException>(() => sending.Within());
        cancelled.CancellationToken.ShouldBe(cancel.Token);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_timeout_goes_on_while_the_body_comes(bool reading)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[5]).AsTask().Within();
        var rest = reading ? body.ReadAsync(new byte[5]).AsTask() : null;

        _time.Advance(3 * Second);

        var failure = await Should.ThrowAsync<HttpIOException>(() => (rest ?? body.ReadAsync(new byte[5]).AsTask()).Within());
        failure.Message.ShouldContain("timeout (UT)");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_buffered_body_that_stalls_fails_the_request()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        var getting = mesh.Client().GetStringAsync("http://reviews:9080/");
        await _arrived.WaitAsync().Within();

        _time.Advance(3 * Second);

        await Should.ThrowAsync<Exception>(() => getting.Within());
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_response_that_ends_in_time_leaves_nothing_behind()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        for (var i = 0; i < 100; i++)
        {
            (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("ok");
            _time.Advance(TimeSpan.FromSeconds(2.5));
        }

        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task An_upload_does_not_count()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        var sent = new TaskCompletionSource();
        var sending = mesh.Client().PostAsync("http://reviews:9080/", new ScriptedContent(async stream =>
        {
            await stream.WriteAsync(new byte[10]);
            await stream.FlushAsync();
            await sent.Task;
        }));
        await _arrived.WaitAsync().Within();

        _time.Advance(100 * Second);
        sending.IsCompleted.ShouldBeFalse();
        sent.SetResult();
        await _time.WaitForTimerAsync(3 * Second).Within();
        _time.Advance(3 * Second);

        (await sending.Within()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    [Theory]
    [InlineData("500", 0.5)]
    [InlineData("7000", 7)]
    public async Task A_request_sets_its_own_timeout_by_header(string milliseconds, double seconds)
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add("x-envoy-upstream-rq-timeout-ms", milliseconds);
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));

        (await sending.Within()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    [Fact]
    public async Task A_timeout_is_answered_by_204_for_whoever_asks_so()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(3), server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add("x-envoy-upstream-rq-timeout-alt-response", "1");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(3 * Second);

        (await sending.Within()).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData("5xx", true)]
    [InlineData("gateway-error", true)]
    [InlineData("reset", true)]
    [InlineData("connect-failure,refused-stream,unavailable,cancelled", false)]
    public async Task A_try_that_takes_too_long_is_followed_by_another_where_the_conditions_say_so(string on, bool retried)
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            if (Interlocked.Increment(ref hits) > 1)
            {
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
            else
            {
                _arrived.Release();
                await connection.WaitForEndAsync();
            }
        });
        await using var mesh = Mesh(
            r =>
            {
                r.Timeout = Seconds(10);
                r.RetryPolicy = RouteRules.Retry(on);
                r.RetryPolicy.PerTryTimeout = Seconds(2);
            },
            server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(2 * Second);

        using var response = await sending.Within();
        if (retried)
        {
            (await response.Content.ReadAsStringAsync()).ShouldBe("ok");
        }
        else
        {
            await ShouldBeAsync(response, request, HttpStatusCode.GatewayTimeout, "UT", "upstream_per_try_timeout", "upstream request timeout");
        }
    }

    [Fact]
    public async Task The_timeout_over_all_tries_ends_the_last_one()
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            Interlocked.Increment(ref hits);
            _arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = Mesh(
            r =>
            {
                r.Timeout = Seconds(5);
                r.RetryPolicy = RouteRules.Retry("5xx", 9);
                r.RetryPolicy.PerTryTimeout = Seconds(2);
            },
            server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();
        var began = _time.GetUtcNow();
        _time.Advance(2 * Second);
        await _arrived.WaitAsync().Within();
        _time.Advance(2 * Second);
        await _arrived.WaitAsync().Within();
        _time.Advance(began + TimeSpan.FromSeconds(5) - _time.GetUtcNow());

        using var response = await sending.Within();
        await ShouldBeAsync(response, request, HttpStatusCode.GatewayTimeout, "UT", "response_timeout", "upstream request timeout");
        hits.ShouldBe(3);
    }

    [Fact]
    public async Task A_try_may_not_take_longer_than_all_of_them()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(
            r =>
            {
                r.Timeout = Seconds(2);
                r.RetryPolicy = RouteRules.Retry("5xx", 9);
                r.RetryPolicy.PerTryTimeout = Seconds(2);
            },
            server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(2 * Second);

        using var response = await sending.Within();
        await ShouldBeAsync(response, request, HttpStatusCode.GatewayTimeout, "UT", "response_timeout", "upstream request timeout");
    }

    [Fact]
    public async Task A_stream_on_which_nothing_moves_is_SI()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.IdleTimeout = Seconds(4), server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();

        _time.Advance(4 * Second);

        using var response = await sending.Within();
        await ShouldBeAsync(response, request, HttpStatusCode.GatewayTimeout, "SI", "stream_idle_timeout", "stream timeout");
    }

    [Fact]
    public async Task A_stream_that_moves_may_last()
    {
        var next = new SemaphoreSlim(0);
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (true)
            {
                await next.WaitAsync();
                await connection.WriteAsync("1\r\nx\r\n");
            }
        });
        await using var mesh = Mesh(r => r.IdleTimeout = Seconds(4), server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var body = await response.Content.ReadAsStreamAsync();
        for (var i = 0; i < 10; i++)
        {
            next.Release();
            (await body.ReadAsync(new byte[1]).AsTask().Within()).ShouldBe(1);
            _time.Advance(3 * Second);
        }

        var last = body.ReadAsync(new byte[1]).AsTask();
        _time.Advance(4 * Second);

        (await Should.ThrowAsync<HttpIOException>(() => last.Within())).Message.ShouldContain("idle timeout (SI)");
    }

    [Fact]
    public async Task Only_the_maximal_duration_is_DEADLINE_EXCEEDED_to_grpc()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.MaxStreamDuration = new EnvoyAction.Types.MaxStreamDuration { MaxStreamDuration_ = Seconds(2) }, server.Port);

        (await TimedOutAsync(mesh, grpcTimeout: null, 2 * Second)).ShouldBe("4");
    }

    [Fact]
    public async Task The_routes_timeout_is_UNAVAILABLE_to_grpc()
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(r => r.Timeout = Seconds(2), server.Port);

        (await TimedOutAsync(mesh, grpcTimeout: null, 2 * Second)).ShouldBe("14");
    }

    [Theory]
    [InlineData("500m", 5, 0.5)]
    [InlineData("30S", 5, 5)]
    [InlineData("30S", 0, 30)]
    public async Task A_grpc_timeout_takes_the_place_of_the_maximal_duration_up_to_its_bound(string timeout, int max, double expected)
    {
        using var server = new RawServer(SwallowAsync);
        await using var mesh = Mesh(
            r => r.MaxStreamDuration = new EnvoyAction.Types.MaxStreamDuration { MaxStreamDuration_ = Seconds(100), GrpcTimeoutHeaderMax = Seconds(max) }, server.Port);

        (await TimedOutAsync(mesh, timeout, TimeSpan.FromSeconds(expected))).ShouldBe("4");
    }

    private static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static async Task ShouldBeAsync(
        HttpResponseMessage response, HttpRequestMessage request, HttpStatusCode status, string flags, string details, string body)
    {
        response.StatusCode.ShouldBe(status);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var actualFlags);
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var actualDetails);
        (actualFlags, actualDetails).ShouldBe((flags, details));
        (await response.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    private async Task<string> TimedOutAsync(ClientMesh mesh, string? grpcTimeout, TimeSpan after)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/a.B/C") { Content = new ByteArrayContent(new byte[5]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (grpcTimeout is not null)
        {
            request.Headers.Add("grpc-timeout", grpcTimeout);
        }

        var sending = mesh.Client().SendAsync(request);
        await _arrived.WaitAsync().Within();
        _time.Advance(after - TimeSpan.FromMilliseconds(1));
        sending.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        using var response = await sending.Within();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response.Headers.GetValues("grpc-status").Single();
    }

    private ClientMesh Mesh(Action<EnvoyAction> route, int port) => ClientMesh.Create(time: _time).ServeWith(route, http2: false, port);

    private async Task SwallowAsync(RawConnection connection)
    {
        await connection.ReadHeadAsync();
        _arrived.Release();
        await connection.WaitForEndAsync();
    }
}
