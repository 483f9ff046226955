using System.Net;
using System.Net.Http.Headers;
using Envoy.Config.Route.V3;
using Mesh.Client.Tests.Servers;
using Mesh.TestNet;
using Mesh.Xds.Tests.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Polly;

namespace Mesh.Client.Tests.Retry;

/// <summary>Every condition of <c>retry_on</c>, against servers that really fail that way.</summary>
public class RetryTests
{
    private const uint RefusedStream = 7;

    [Theory]
    [InlineData("5xx", 500, true)]
    [InlineData("5xx", 503, true)]
    [InlineData("5xx", 404, false)]
    [InlineData("gateway-error", 502, true)]
    [InlineData("gateway-error", 503, true)]
    [InlineData("gateway-error", 504, true)]
    [InlineData("gateway-error", 500, false)]
    [InlineData("retriable-4xx", 409, true)]
    [InlineData("retriable-4xx", 400, false)]
    [InlineData("retriable-status-codes", 418, true)]
    [InlineData("retriable-status-codes", 503, false)]
    [InlineData("connect-failure,refused-stream,unavailable,cancelled", 503, false)]
    [InlineData("reset", 503, false)]
    [InlineData("http3-post-connect-failure", 503, false)]
    public async Task A_status_is_retried_when_its_condition_is_named(string on, int status, bool retried)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref hits) == 1 ? status : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry(on, 1, 418), http2: false, server.Port);

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var response = await mesh.Client().SendAsync(request).Within();

        ((int)response.StatusCode).ShouldBe(retried ? 200 : status);
        hits.ShouldBe(retried ? 2 : 1);
        (request.Options.TryGetValue(MeshRequest.Attempts, out var attempts) ? attempts : 1).ShouldBe(retried ? 2 : 1);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("reset", true)]
    [InlineData("5xx", true)]
    [InlineData("gateway-error", true)]
    [InlineData("reset-before-request", false)]
    [InlineData("connect-failure", false)]
    [InlineData("retriable-4xx", false)]
    public async Task A_connection_that_breaks_before_the_response_is_retried_when_its_condition_is_named(string on, bool retried)
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
                connection.Reset();
            }
        });

        // A body keeps the framework from repeating the request by itself.
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry(on), http2: false, server.Port);
        using var response = await mesh.Client().PostAsync("http://reviews:9080/", new StringContent("x")).Within();

        response.StatusCode.ShouldBe(retried ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
        hits.ShouldBe(retried ? 2 : 1);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("connect-failure", true)]
    [InlineData("reset", true)]
    [InlineData("reset-before-request", true)]
    [InlineData("5xx", true)]
    [InlineData("refused-stream", false)]
    [InlineData("retriable-4xx", false)]
    public async Task A_refused_connection_is_retried_at_another_host(string on, bool retried)
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry(on), http2: false, ClosedPort.Take(), server.Port);

        // Round robin: of two requests one begins at the closed port.
        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < 2; i++)
        {
            using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();
            codes.Add(response.StatusCode);
        }

        codes.Count(c => c == HttpStatusCode.OK).ShouldBe(retried ? 2 : 1);
    }

    [Theory]
    [InlineData("refused-stream", true)]
    [InlineData("5xx", true)]
    [InlineData("connect-failure", false)]
    public async Task A_refused_stream_is_retried_at_another_host(string on, bool retried)
    {
        using var refusing = new RawHttp2Server();
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"), HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().ServeWith(
            r => r.RetryPolicy = RouteRules.Retry(on), http2: true, new Uri(refusing.Target).Port, server.Port);
        using var stop = new CancellationTokenSource();
        var refuse = RefuseAsync(refusing, stop.Token);

        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < 2; i++)
        {
            using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();
            codes.Add(response.StatusCode);
        }

        codes.Count(c => c == HttpStatusCode.OK).ShouldBe(retried ? 2 : 1);
        await stop.CancelAsync();
        refusing.Dispose();
        await refuse;
    }

    [Theory]
    [InlineData("unavailable", 14, true)]
    [InlineData("cancelled", 1, true)]
    [InlineData("deadline-exceeded", 4, true)]
    [InlineData("resource-exhausted", 8, true)]
    [InlineData("internal", 13, true)]
    [InlineData("unavailable", 13, false)]
    [InlineData("5xx", 14, false)]
    public async Task A_grpc_status_among_the_headers_is_retried_when_its_condition_is_named(string on, int status, bool retried)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            context =>
            {
                context.Response.ContentType = "application/grpc";
                context.Response.Headers["grpc-status"] = Interlocked.Increment(ref hits) == 1 ? status.ToString() : "0";
                return Task.CompletedTask;
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry(on), http2: true, server.Port);

        using var request = Grpc();
        using var response = await mesh.Client().SendAsync(request).Within();

        response.Headers.GetValues("grpc-status").Single().ShouldBe(retried ? "0" : status.ToString());
        hits.ShouldBe(retried ? 2 : 1);
    }

    [Fact]
    public async Task A_grpc_status_in_the_trailers_is_never_retried()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                Interlocked.Increment(ref hits);
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.FlushAsync();
                context.Response.AppendTrailer("grpc-status", "14");
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("unavailable"), http2: true, server.Port);

        using var request = Grpc();
        using var response = await mesh.Client().SendAsync(request).Within();

        response.TrailingHeaders.GetValues("grpc-status").Single().ShouldBe("14");
        hits.ShouldBe(1);
    }

    [Theory]
    [InlineData("yes", 2)]
    [InlineData("no", 1)]
    public async Task A_response_header_can_call_for_a_retry(string value, int expected)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.Headers["x-again"] = value;
            return Task.CompletedTask;
        });
        var policy = RouteRules.Retry("retriable-headers");
        policy.RetriableHeaders.Add(new HeaderMatcher { Name = "x-again", StringMatch = new() { Exact = "yes" } });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = policy, http2: false, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        hits.ShouldBe(expected);
    }

    [Theory]
    [InlineData("5xx", 1)]
    [InlineData("5xx,envoy-ratelimited", 2)]
    public async Task A_rate_limited_response_is_retried_only_when_that_is_named(string on, int expected)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.Headers["x-envoy-ratelimited"] = "true";
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry(on), http2: false, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        hits.ShouldBe(expected);
    }

    [Fact]
    public async Task An_overloaded_proxy_does_not_get_the_request_again()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.Headers["x-envoy-overloaded"] = "true";
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 3), http2: false, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        hits.ShouldBe(1);
    }

    [Fact]
    public async Task The_last_response_comes_through_when_all_tries_are_used_up()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(async context =>
        {
            context.Response.StatusCode = 503;
            await context.Response.WriteAsync($"attempt {Interlocked.Increment(ref hits)}");
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 3), http2: false, server.Port);

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("attempt 4");
        request.Options.TryGetValue(MeshRequest.Attempts, out var attempts).ShouldBeTrue();
        attempts.ShouldBe(4);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("URX");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Zero_retries_are_none()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 0), http2: false, server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        hits.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_asks_for_retries_by_its_own_headers_which_no_server_sees()
    {
        var hits = 0;
        var seen = new List<string>();
        await using var server = await WebServer.StartAsync(context =>
        {
            seen.AddRange(context.Request.Headers.Keys);
            context.Response.StatusCode = Interlocked.Increment(ref hits) <= 2 ? 418 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(_ => { }, http2: false, server.Port);

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add("x-envoy-retry-on", "retriable-status-codes");
        request.Headers.Add("x-envoy-retriable-status-codes", "418,419");
        request.Headers.Add("x-envoy-max-retries", "2");
        request.Headers.Add("x-mine", "stays");
        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        hits.ShouldBe(3);
        seen.ShouldContain("x-mine");
        seen.ShouldNotContain(name => name.StartsWith("x-envoy", StringComparison.OrdinalIgnoreCase));
        request.Headers.GetValues("x-envoy-max-retries").Single().ShouldBe("2");
        request.Headers.Count().ShouldBe(4);
    }

    [Fact]
    public async Task Servers_see_which_attempt_they_got_and_the_caller_how_many_there_were()
    {
        var seen = new List<string?>();
        await using var server = await WebServer.StartAsync(context =>
        {
            seen.Add(context.Request.Headers["x-envoy-attempt-count"]);
            context.Response.StatusCode = seen.Count < 3 ? 503 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(
            r => r.RetryPolicy = RouteRules.Retry("5xx", 5),
            host =>
            {
                host.IncludeRequestAttemptCount = true;
                host.IncludeAttemptCountInResponse = true;
            },
            http2: false,
            server.Port);

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var response = await mesh.Client().SendAsync(request).Within();

        seen.ShouldBe(["1", "2", "3"]);
        response.Headers.GetValues("x-envoy-attempt-count").Single().ShouldBe("3");
        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Polly_outside_the_mesh_sees_final_outcomes_and_attempts_multiply()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 2), http2: false, server.Port);
        var outer = new Polly.ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new Polly.Retry.RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 1,
                Delay = TimeSpan.Zero,
                ShouldHandle = arguments => new(arguments.Outcome.Result is { StatusCode: HttpStatusCode.ServiceUnavailable }),
            })
            .Build();
        var inner = new List<int>();
        var client = mesh.Client();

        using var response = await outer.ExecuteAsync(async token =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
            var answer = await client.SendAsync(request, token);
            request.Options.TryGetValue(MeshRequest.Attempts, out var attempts);
            inner.Add(attempts);
            return answer;
        });

        inner.ShouldBe([3, 3]);
        hits.ShouldBe(6);
    }

    [Fact]
    public async Task A_client_that_retries_by_itself_is_warned_once_that_attempts_multiply()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("resilient").AddHttpMessageHandler(() => new Microsoft.Extensions.Http.PolicyHttpMessageHandler()))
            .ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx", 2), http2: false, server.Port);

        for (var i = 0; i < 2; i++)
        {
            await mesh.Client("resilient").GetStringAsync("http://reviews:9080/").Within();
            await mesh.Client("plain").GetStringAsync("http://reviews:9080/").Within();
        }

        mesh.Logs.Lines.Count(m => m.Contains("attempts multiply", StringComparison.Ordinal)).ShouldBe(1);
    }

    private static HttpRequestMessage Grpc()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/a.B/C") { Version = HttpVersion.Version20, Content = new ByteArrayContent(new byte[5]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        return request;
    }

    private static async Task RefuseAsync(RawHttp2Server server, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var connection = await server.AcceptAsync();
                _ = RefuseStreamsAsync(connection);
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException or IOException or OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static async Task RefuseStreamsAsync(RawHttp2Connection connection)
    {
        try
        {
            while (true)
            {
                var (stream, _, _) = await connection.ReadAsync(RawHttp2Connection.Headers);
                await connection.WriteResetAsync(stream, RefusedStream);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            connection.Dispose();
        }
    }
}
