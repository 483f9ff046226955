using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.Hostile;

/// <summary>Callers that take their content or their client away, and send a message again after it has failed.</summary>
public class CallersContentTests
{
    [Theory]
    [InlineData("stream", false)]
    [InlineData("stream", true)]
    [InlineData("text", false)]
    [InlineData("text", true)]
    [InlineData("multipart", true)]
    public async Task A_content_that_is_disposed_fails_the_callers_way_and_the_message_is_given_back(string kind, bool mirrored)
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = Mesh(server.Port, mirrored);
        HttpContent content = kind switch
        {
            "stream" => new StreamContent(new MemoryStream(new byte[100])),
            "multipart" => new MultipartContent { new StringContent("part") },
            _ => new StringContent("text"),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/old/x") { Content = content };
        request.Headers.Add("x-envoy-max-retries", "2");
        content.Dispose();

        await Should.ThrowAsync<Exception>(() => mesh.Invoker().SendAsync(request, default).Within());

        request.RequestUri!.AbsolutePath.ShouldBe("/old/x");
        request.Content.ShouldBeSameAs(content);
        request.Headers.ToString().Trim().ShouldBe("x-envoy-max-retries: 2");
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);

        // The message is fit to be sent again.
        request.Content = new StringContent("fresh");
        using var response = await mesh.Invoker().SendAsync(request, default).Within();
        (await response.Content.ReadAsStringAsync()).ShouldBe("ok");
    }

    [Theory]
    [InlineData("stream")]
    [InlineData("text")]
    public async Task A_content_that_is_disposed_while_it_is_on_its_way_leaves_nothing_behind(string kind)
    {
        var arrived = new SemaphoreSlim(0);
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            arrived.Release();
            await connection.WaitForEndAsync();
        });
        var time = new ManualTimeProvider();
        await using var mesh = Mesh(server.Port, mirrored: true, time);
        HttpContent content = kind == "text" ? new ByteArrayContent(new byte[30_000_000]) : new StreamContent(new MemoryStream(new byte[30_000_000]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/old/x") { Content = content };
        using var cancel = new CancellationTokenSource();
        var sending = mesh.Invoker().SendAsync(request, cancel.Token);
        await arrived.WaitAsync().Within();
        content.Dispose();
        await cancel.CancelAsync();

        await Should.ThrowAsync<Exception>(() => sending.Within());

        request.RequestUri!.AbsolutePath.ShouldBe("/old/x");
        request.Content.ShouldBeSameAs(content);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task A_message_is_sent_again_after_each_kind_of_failure()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            var hit = Interlocked.Increment(ref hits);
            if (hit % 3 != 0)
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = hit % 2 == 0 ? 200 : 503;
            await context.Response.WriteAsync($"{context.Request.Path} {context.Request.Headers["x-added"]} {body}");
        });
        await using var mesh = Mesh(server.Port, mirrored: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/old/x") { Content = new StringContent("body") };
        for (var i = 0; i < 20; i++)
        {
            using var response = await mesh.Invoker().SendAsync(request, default).Within();
            if (response.StatusCode == HttpStatusCode.OK)
            {
                (await response.Content.ReadAsStringAsync()).ShouldBe("/new/x yes body");
            }

            request.RequestUri!.AbsolutePath.ShouldBe("/old/x");
            request.Headers.NonValidated.Count.ShouldBe(0);
        }

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task A_client_that_is_disposed_cancels_what_it_has_sent_and_nothing_else()
    {
        var arrived = new SemaphoreSlim(0);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await WebServer.StartAsync(async context =>
        {
            arrived.Release();
            await answer.Task;
            await context.Response.WriteAsync("ok");
        });
        var time = new ManualTimeProvider();
        await using var mesh = Mesh(server.Port, mirrored: false, time);
        var leaving = mesh.Client();
        var gone = leaving.GetAsync("http://reviews:9080/old/a");
        var stays = mesh.Client().GetStringAsync("http://reviews:9080/old/b");
        await arrived.WaitAsync().Within();
        await arrived.WaitAsync().Within();

        leaving.Dispose();
        await Should.ThrowAsync<OperationCanceledException>(() => gone.Within());
        answer.SetResult();

        (await stays.Within()).ShouldBe("ok");
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false, 1000)]
    [InlineData(true, 3_000)]
    public async Task Responses_that_nobody_reads_or_disposes_are_given_up_by_their_clocks(bool http2, int count)
    {
        await using var server = await WebServer.StartAsync(
            context => context.Response.WriteAsync("never read"),
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        var time = new ManualTimeProvider();
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080").WithoutLimits();
        await using var mesh = Mesh(server.Port, mirrored: false, time).Use(http2 ? ClientMesh.Http2(cluster) : cluster);
        var responses = new List<HttpResponseMessage>();
        for (var i = 0; i < count; i++)
        {
            responses.Add(await mesh.Client().GetAsync("http://reviews:9080/old/", HttpCompletionOption.ResponseHeadersRead).Within());
        }

        mesh.ActiveRequests.ShouldBe(count);
        time.Advance(TimeSpan.FromHours(1));

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        await Should.ThrowAsync<Exception>(() => responses[0].Content.ReadAsStringAsync().Within());
        (await mesh.Client().GetStringAsync("http://reviews:9080/old/").Within()).ShouldBe("never read");
    }

    [Fact]
    public async Task The_end_of_the_application_lets_what_is_on_its_way_come_back()
    {
        var arrived = new SemaphoreSlim(0);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await WebServer.StartAsync(async context =>
        {
            arrived.Release();
            await answer.Task;
            await context.Response.WriteAsync("ok");
        });
        var time = new ManualTimeProvider();
        var mesh = Mesh(server.Port, mirrored: false, time);
        var sending = mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/old/a"), default);
        await arrived.WaitAsync().Within();
        var endpoint = mesh.Endpoints.Single();

        var ending = mesh.DisposeAsync().AsTask();
        answer.SetResult();

        using var response = await sending.Within();
        (await response.Content.ReadAsStringAsync()).ShouldBe("ok");
        await ending.Within();
        endpoint.ActiveRequests.ShouldBe(0);
    }

    private static ClientMesh Mesh(int port, bool mirrored, TimeProvider? time = null)
        => ClientMesh.Create(time: time).ServeWith(
            r =>
            {
                r.Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(5));
                r.IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(4));
                r.RetryPolicy = RouteRules.Retry("5xx,reset", 1);
                r.PrefixRewrite = "/new";
                if (mirrored)
                {
                    r.RequestMirrorPolicies.Add(new RouteAction.Types.RequestMirrorPolicy { Cluster = "reviews:9080" });
                }
            },
            h =>
            {
                h.Routes[0].Match.Prefix = "/old";
                h.Routes[0].RequestHeadersToAdd.Add(new HeaderValueOption { Header = new HeaderValue { Key = "x-added", Value = "yes" } });
            },
            http2: false,
            port);
}
