using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Mesh.DataPlane.Tests.Telemetry;
using Mesh.Server.Tests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>The messages of gRPC calls, as the server's door counts them.</summary>
public sealed class ServerMessagesTests
{
    // As servers of gRPC read and write, and as an application may.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_of_both_ways_are_counted_however_they_are_read_and_written(bool pipes)
    {
        await using var host = await StartAsync(async context =>
        {
            if (pipes)
            {
                await ReadToEndAsync(context);
                WriteInParts(context.Response.BodyWriter, GrpcFrames.Of(3, 0, 700));
                await context.Response.BodyWriter.FlushAsync();
                await context.Response.BodyWriter.WriteAsync(GrpcFrames.Of(5));
            }
            else
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                var frames = GrpcFrames.Of(3, 0, 700, 5);
                await context.Response.Body.WriteAsync(frames.AsMemory(0, 7));
                await context.Response.Body.WriteAsync(frames, 7, frames.Length - 7);
            }
        });
        using var response = await SendAsync(host, GrpcFrames.Of(1, 20_000), length: false);

        await host.Records.EndedAsync(1);
        host.Records.Ended.ShouldHaveSingleItem().Messages.ShouldBe((2, 4));
    }

    [Fact]
    public async Task A_request_that_says_how_long_it_is_is_counted_as_well()
    {
        await using var host = await StartAsync(ReadToEndAsync);
        var frames = GrpcFrames.Of(1, 2, 3);
        using var response = await SendAsync(host, frames, length: true);

        await host.Records.EndedAsync(1);
        var told = host.Records.Ended.ShouldHaveSingleItem();
        told.Messages.ShouldBe((3, 0));
        told.RequestBytes.ShouldBe(frames.Length);
    }

    [Fact]
    public async Task What_is_no_response_of_gRPC_has_no_messages()
    {
        await using var host = await StartAsync(async context =>
        {
            await ReadToEndAsync(context);
            context.Response.ContentType = "text/plain";
            await context.Response.WriteAsync("no such service");
        });
        using var response = await SendAsync(host, GrpcFrames.Of(1), length: false);

        await host.Records.EndedAsync(1);
        host.Records.Ended.ShouldHaveSingleItem().Messages.ShouldBe((1, 0));
    }

    [Fact]
    public async Task What_is_no_call_of_gRPC_has_none_either()
    {
        await using var host = await StartAsync(context => context.Request.Body.CopyToAsync(context.Response.Body));
        using var response = await SendAsync(host, GrpcFrames.Of(1, 2), length: false, type: "application/grpc-web");

        await host.Records.EndedAsync(1);
        host.Records.Ended.ShouldHaveSingleItem().Messages.ShouldBe((0, 0));
    }

    private static Task<DoorHost> StartAsync(RequestDelegate call)
        => DoorHost.StartAsync(
            _ => { },
            app => app.MapPost("/pkg.Service/Call", context =>
            {
                context.Response.ContentType = "application/grpc";
                return call(context);
            }),
            protocols: HttpProtocols.Http2);

    private static async Task<HttpResponseMessage> SendAsync(DoorHost host, byte[] body, bool length, string type = "application/grpc+proto")
    {
        using var client = host.Client(HttpVersion.Version20);
        HttpContent content = length ? new ByteArrayContent(body) : new StreamContent(new Unseekable(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await client.PostAsync("/pkg.Service/Call", content);
    }

    private static async Task ReadToEndAsync(HttpContext context)
    {
        while (true)
        {
            var read = await context.Request.BodyReader.ReadAsync();
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    private static void WriteInParts(IBufferWriter<byte> writer, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; !bytes.IsEmpty; i++)
        {
            var part = bytes[..Math.Min(bytes.Length, 3 + i)];
            if (i % 2 == 0)
            {
                part.CopyTo(writer.GetSpan(part.Length));
            }
            else
            {
                part.CopyTo(writer.GetMemory(part.Length).Span);
            }

            writer.Advance(part.Length);
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>So that it cannot say how long it is.</summary>
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
