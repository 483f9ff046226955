using System.Net;
using System.Text;
using Mesh.Client.Tests.Servers;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.Retry;

/// <summary>Which bodies can go out again: a repeatable one, one that was copied on its way, and one of which nothing was taken.</summary>
public class ReplayTests
{
    public enum Kind
    {
        Bytes,
        Text,
        Form,
        Memory,
        Json,
        SeekableStream,
        Stream,
        Pushed,
    }

    [Theory]
    [InlineData(Kind.Bytes)]
    [InlineData(Kind.Text)]
    [InlineData(Kind.Form)]
    [InlineData(Kind.Memory)]
    [InlineData(Kind.Json)]
    [InlineData(Kind.SeekableStream)]
    [InlineData(Kind.Stream)]
    [InlineData(Kind.Pushed)]
    public async Task The_second_attempt_has_the_whole_body(Kind kind)
    {
        var bodies = new List<string>();
        await using var server = await WebServer.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Add($"{context.Request.ContentType} {await reader.ReadToEndAsync()}");
            context.Response.StatusCode = bodies.Count == 1 ? 503 : 200;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx"), http2: false, server.Port);

        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = Content(kind, new string('a', 1000)) };
        var content = request.Content;
        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        bodies.Count.ShouldBe(2);
        bodies[1].ShouldBe(bodies[0]);
        bodies[0].ShouldContain(new string('a', 1000));
        request.Content.ShouldBeSameAs(content);
    }

    [Theory]
    [InlineData(64 * 1024, 2)]
    [InlineData((64 * 1024) + 1, 1)]
    public async Task A_body_that_can_be_read_once_is_kept_up_to_the_limit(int length, int expected)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = Interlocked.Increment(ref hits) == 1 ? 503 : 200;
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx"), http2: false, server.Port);

        using var response = await mesh.Client().PostAsync("http://reviews:9080/", Content(Kind.Stream, new string('a', length))).Within();

        hits.ShouldBe(expected);
        response.StatusCode.ShouldBe(expected == 2 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task The_route_sets_the_limit()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = Interlocked.Increment(ref hits) == 1 ? 503 : 200;
        });
        await using var mesh = ClientMesh.Create().ServeWith(
            r => r.RetryPolicy = RouteRules.Retry("5xx"), host => host.RequestBodyBufferLimit = 10, http2: false, server.Port);

        using var response = await mesh.Client().PostAsync("http://reviews:9080/", Content(Kind.Stream, "eleven byte")).Within();

        hits.ShouldBe(1);
    }

    [Fact]
    public async Task A_body_that_was_half_taken_when_the_response_came_is_not_sent_again()
    {
        // A 503 while the upload is still going on; over HTTP/1.1 .NET looks for the response only when the body has gone out.
        var hits = 0;
        var goOn = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                Interlocked.Increment(ref hits);
                await context.Request.Body.ReadExactlyAsync(new byte[1]);
                context.Response.StatusCode = 503;
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx"), http2: true, server.Port);
        var content = new ScriptedContent(async stream =>
        {
            await stream.WriteAsync(new byte[10]);
            await stream.FlushAsync();
            await goOn.Task;
        });

        using var response = await mesh.Client().PostAsync("http://reviews:9080/", content).Within();
        goOn.SetResult();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        hits.ShouldBe(1);
    }

    [Fact]
    public async Task A_body_of_which_nothing_was_taken_goes_to_another_host()
    {
        string? body = null;
        await using var server = await WebServer.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            body = await reader.ReadToEndAsync();
        });
        await using var mesh = ClientMesh.Create().ServeWith(
            r => r.RetryPolicy = RouteRules.Retry("connect-failure"), http2: false, ClosedPort.Take(), server.Port);

        for (var i = 0; i < 2; i++)
        {
            using var response = await mesh.Client().PostAsync("http://reviews:9080/", Content(Kind.Pushed, new string('a', 200_000))).Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            body!.Length.ShouldBe(200_000);
        }
    }

    [Fact]
    public async Task A_content_that_cannot_be_read_is_the_callers_own_failure_and_not_retried()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(async context =>
        {
            Interlocked.Increment(ref hits);
            await context.Request.Body.CopyToAsync(Stream.Null);
        });
        await using var mesh = ClientMesh.Create().ServeWith(r => r.RetryPolicy = RouteRules.Retry("5xx,reset", 3), http2: false, server.Port);
        var content = new ScriptedContent(_ => throw new InvalidOperationException("no more paper"));

        var failure = await Should.ThrowAsync<Exception>(() => mesh.Client().PostAsync("http://reviews:9080/", content).Within());

        failure.ToString().ShouldContain("no more paper");
        mesh.ActiveRequests.ShouldBe(0);
    }

    private static HttpContent Content(Kind kind, string text)
        => kind switch
        {
            Kind.Bytes => new ByteArrayContent(Encoding.ASCII.GetBytes(text)),
            Kind.Text => new StringContent(text, Encoding.UTF8, "text/plain"),
            Kind.Form => new FormUrlEncodedContent([new("a", text)]),
            Kind.Memory => new ReadOnlyMemoryContent(Encoding.ASCII.GetBytes(text)),
            Kind.Json => System.Net.Http.Json.JsonContent.Create(text),
            Kind.SeekableStream => new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes(text))),
            Kind.Stream => new StreamContent(new ForwardOnlyStream(new MemoryStream(Encoding.ASCII.GetBytes(text)))),
            _ => new ScriptedContent(async stream => await stream.WriteAsync(Encoding.ASCII.GetBytes(text))),
        };

    private sealed class ForwardOnlyStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
