using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Threading.Channels;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests;

public class StreamingTests
{
    [Fact]
    public async Task Both_directions_stream_at_the_same_time()
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                await context.Response.Body.FlushAsync();
                var buffer = new byte[1];
                while (await context.Request.Body.ReadAsync(buffer) > 0)
                {
                    await context.Response.Body.WriteAsync(buffer);
                    await context.Response.Body.FlushAsync();
                }
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        var opened = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = new ScriptedContent(async stream =>
            {
                await stream.FlushAsync();
                opened.SetResult(stream);
                await closed.Task;
            }),
        };
        using var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();
        var up = await opened.Task.Within();
        var down = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1];
        for (byte i = 1; i < 20; i++)
        {
            await up.WriteAsync(new[] { i });
            await up.FlushAsync();
            (await down.ReadAsync(buffer).AsTask().Within()).ShouldBe(1);
            buffer[0].ShouldBe(i);
        }

        mesh.ActiveRequests.ShouldBe(1);
        closed.SetResult();
        (await down.ReadAsync(buffer).AsTask().Within()).ShouldBe(0);
        mesh.ActiveRequests.ShouldBe(0);
    }

    // SocketsHttpHandler does not hand out a response of HTTP/1.1 before the request is complete.
    [Fact]
    public async Task An_upload_in_chunks_arrives_chunk_by_chunk_and_its_response_streams()
    {
        var received = Channel.CreateUnbounded<byte>();
        var next = new SemaphoreSlim(0);
        await using var server = await WebServer.StartAsync(async context =>
        {
            context.Request.Headers.TransferEncoding.ToString().ShouldBe("chunked");
            var buffer = new byte[1];
            while (await context.Request.Body.ReadAsync(buffer) > 0)
            {
                received.Writer.TryWrite(buffer[0]);
            }

            for (byte i = 0; i < 3; i++)
            {
                await context.Response.Body.WriteAsync(new[] { i });
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(context.RequestAborted);
            }
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = new ScriptedContent(async stream =>
            {
                for (byte i = 0; i < 3; i++)
                {
                    await stream.WriteAsync(new[] { i });
                    await stream.FlushAsync();
                    (await received.Reader.ReadAsync().AsTask().Within()).ShouldBe(i);
                }
            }),
        };

        using var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

        var down = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1];
        for (byte i = 0; i < 3; i++)
        {
            (await down.ReadAsync(buffer).AsTask().Within()).ShouldBe(1);
            buffer[0].ShouldBe(i);
            next.Release();
        }

        (await down.ReadAsync(buffer).AsTask().Within()).ShouldBe(0);
        mesh.ActiveRequests.ShouldBe(0);
        request.Headers.TransferEncodingChunked.ShouldBeNull();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Large_uploads_arrive_whole(bool http2, bool expectContinue)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
                await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        var bytes = RandomNumberGenerator.GetBytes(40_000_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new StreamContent(new MemoryStream(bytes)) };
        request.Headers.ExpectContinue = expectContinue ? true : null;

        using var response = await mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe(Convert.ToHexString(SHA256.HashData(bytes)));
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_may_refuse_a_body_before_it_is_sent()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = 413;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var began = TimeProvider.System.GetTimestamp();
        TimeSpan? sent = null;
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = new ScriptedContent(_ =>
            {
                sent = TimeProvider.System.GetElapsedTime(began);
                return Task.CompletedTask;
            }),
        };
        request.Headers.ExpectContinue = true;

        ((int)(await mesh.Client().SendAsync(request).Within()).StatusCode).ShouldBe(413);

        // The framework waits for a second, and this machine may take longer to answer.
        (sent ?? TimeSpan.MaxValue).ShouldBeGreaterThan(TimeSpan.FromSeconds(0.9));
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Calls_of_gRPC_keep_their_frames_and_trailers()
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Request.Protocol.ShouldBe("HTTP/2");
                context.Response.ContentType = "application/grpc";
                var header = new byte[5];
                while (await context.Request.Body.ReadAtLeastAsync(header, 5, throwOnEndOfStream: false) == 5)
                {
                    var message = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1))];
                    await context.Request.Body.ReadExactlyAsync(message);
                    await context.Response.Body.WriteAsync(header);
                    await context.Response.Body.WriteAsync(message);
                }

                context.Response.AppendTrailer("grpc-status", "0");
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        var frames = new byte[] { 0, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0 };
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/svc/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frames) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
            Headers = { { "te", "trailers" } },
        };

        using var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

        (await response.Content.ReadAsByteArrayAsync().Within()).ShouldBe(frames);
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Server_sent_events_go_on_across_a_route_flip()
    {
        var next = new SemaphoreSlim(0);
        await using var v1 = await WebServer.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(context.RequestAborted);
            }
        });
        await using var v2 = await WebServer.StartAsync(context => context.Response.WriteAsync("v2"));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", v1.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var old = mesh.Endpoints.Single();
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await events.ReadLineAsync().WaitAsync(Hang.Guard)).ShouldBe("data: 0");

        mesh.SetCluster("v2").SetEndpoints("v2", v2.Port);
        mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("reviews:9080", Fixture.Prefix("/", "v2")));
        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("v2");

        for (var i = 1; i < 3; i++)
        {
            next.Release();
            await events.ReadLineAsync().WaitAsync(Hang.Guard);
            (await events.ReadLineAsync().WaitAsync(Hang.Guard)).ShouldBe($"data: {i}");
        }

        next.Release();
        (await events.ReadToEndAsync().WaitAsync(Hang.Guard)).ShouldBe("\n");
        old.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_header_beyond_ASCII_goes_out_as_UTF_8()
    {
        string? head = null;
        using var server = new RawServer(async connection =>
        {
            head = await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.TryAddWithoutValidation("x-city", "Zürich");

        using var response = await mesh.Client().SendAsync(request).Within();

        ((int)response.StatusCode).ShouldBe(204);
        System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(head!)).ShouldContain("x-city: Zürich");
    }
}
