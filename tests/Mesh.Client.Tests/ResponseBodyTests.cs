using System.Net;
using System.Text;
using Mesh.Client.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests;

/// <summary>However a response ends, its request ends with it, once.</summary>
public class ResponseBodyTests
{
    private const int Length = 200_000;

    [Theory]
    [InlineData("read to its end", false)]
    [InlineData("read to its end", true)]
    [InlineData("read synchronously", false)]
    [InlineData("read synchronously", true)]
    [InlineData("read with arrays", false)]
    [InlineData("read with arrays", true)]
    [InlineData("read by BeginRead", false)]
    [InlineData("read by BeginRead", true)]
    [InlineData("copied", false)]
    [InlineData("copied", true)]
    [InlineData("copied synchronously", false)]
    [InlineData("copied synchronously", true)]
    [InlineData("copied from its stream", false)]
    [InlineData("copied from its stream", true)]
    [InlineData("buffered", false)]
    [InlineData("buffered", true)]
    [InlineData("disposed unread", false)]
    [InlineData("disposed unread", true)]
    [InlineData("disposed half-read", false)]
    [InlineData("disposed half-read", true)]
    [InlineData("stream disposed half-read", false)]
    [InlineData("stream disposed half-read", true)]
    [InlineData("stream disposed asynchronously", false)]
    [InlineData("stream disposed asynchronously", true)]
    public async Task A_request_ends_when_its_response_is(string ending, bool http2)
    {
        await using var server = await WebServer.StartAsync(LargeAsync, http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Version.ShouldBe(http2 ? HttpVersion.Version20 : HttpVersion.Version11);
        mesh.ActiveRequests.ShouldBe(1);
        mesh.Permits.ShouldBe(1);

        await EndAsync(response, ending).Within();

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        response.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        (await mesh.Client().GetByteArrayAsync("http://reviews:9080/").Within()).Length.ShouldBe(Length);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    [InlineData("POST", 200)]
    public async Task A_response_without_body_ends_at_once(string method, int status)
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            if (status == 200)
            {
                context.Response.ContentLength = method == "HEAD" ? 5 : 0;
            }

            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://reviews:9080/");

        var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

        ((int)response.StatusCode).ShouldBe(status);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        response.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
        if (method == "HEAD")
        {
            response.Content.Headers.ContentLength.ShouldBe(5);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_breaks_within_the_body_ends_the_request(bool copy)
    {
        var received = new TaskCompletionSource();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            await received.Task;
            connection.Reset();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var body = await response.Content.ReadAsStreamAsync();
        (await body.ReadAtLeastAsync(new byte[4], 4)).ShouldBe(4);
        mesh.ActiveRequests.ShouldBe(1);
        mesh.Permits.ShouldBe(1);
        received.SetResult();

        var reading = copy ? body.CopyToAsync(Stream.Null) : body.ReadAsync(new byte[1]).AsTask();
        await Should.ThrowAsync<IOException>(() => reading.Within());

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_who_cancels_before_the_headers_gets_its_own_cancellation(bool http2)
    {
        var arrived = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                arrived.TrySetResult();
                await context.RequestAborted.Until();
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        using var cancellation = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Invoker().SendAsync(request, cancellation.Token);
        await arrived.Task.Within();
        mesh.ActiveRequests.ShouldBe(1);
        mesh.Permits.ShouldBe(1);

        await cancellation.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(() => sending.Within())).CancellationToken.ShouldBe(cancellation.Token);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_caller_who_cancels_within_the_body_ends_the_request(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                await context.RequestAborted.Until();
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        using var cancellation = new CancellationTokenSource();
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[4]);
        var reading = body.ReadAsync(new byte[1], cancellation.Token).AsTask();
        mesh.ActiveRequests.ShouldBe(1);
        mesh.Permits.ShouldBe(1);

        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => reading.Within());
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task Trailers_of_HTTP_2_are_there_after_the_body()
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.DeclareTrailer("x-checksum");
                await context.Response.WriteAsync("body");
                context.Response.AppendTrailer("x-checksum", "42");
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();

        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("body");

        response.TrailingHeaders.GetValues("x-checksum").ShouldBe(["42"]);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task Trailers_of_HTTP_1_1_are_there_after_the_body()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-checksum\r\n\r\n4\r\nbody\r\n0\r\nx-checksum: 42\r\n\r\n");
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("body");
        response.TrailingHeaders.GetValues("x-checksum").ShouldBe(["42"]);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task A_buffer_that_is_too_small_ends_the_request()
    {
        await using var server = await WebServer.StartAsync(LargeAsync);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var client = mesh.Client();
        client.MaxResponseContentBufferSize = 10;

        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("http://reviews:9080/").Within());

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    private static async Task LargeAsync(HttpContext context)
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', Length / 10));
        for (var i = 0; i < 10; i++)
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    private static async Task EndAsync(HttpResponseMessage response, string ending)
    {
        var buffer = new byte[1000];
        switch (ending)
        {
            case "disposed unread":
                response.Dispose();
                return;
            case "buffered":
                await response.Content.LoadIntoBufferAsync();
                return;
            case "copied":
                await response.Content.CopyToAsync(Stream.Null);
                return;
            case "copied synchronously":
                response.Content.CopyTo(Stream.Null, null, CancellationToken.None);
                return;
            case "read synchronously":
                var synchronous = response.Content.ReadAsStream();
                while (synchronous.Read(buffer) > 0)
                {
                }

                return;
        }

        var stream = await response.Content.ReadAsStreamAsync();
        stream.CanWrite.ShouldBeFalse();
        switch (ending)
        {
            case "copied from its stream":
                await stream.CopyToAsync(Stream.Null);
                return;
            case "read with arrays":
                while (await stream.ReadAsync(buffer, 0, buffer.Length, CancellationToken.None) > 0)
                {
                }

                return;
            case "read by BeginRead":
                while (await Task<int>.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, 0, buffer.Length, null) > 0)
                {
                }

                return;
            case "read to its end":
                // A question whether there is something to read is no end.
                (await stream.ReadAsync(Memory<byte>.Empty)).ShouldBe(0);
                while (await stream.ReadAsync(buffer) > 0)
                {
                }

                return;
            default:
                await stream.ReadExactlyAsync(buffer);
                break;
        }

        if (ending == "disposed half-read")
        {
            response.Dispose();
        }
        else if (ending == "stream disposed half-read")
        {
            stream.Dispose();
        }
        else
        {
            await stream.DisposeAsync();
        }
    }
}
