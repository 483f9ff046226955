using System.Net;
using System.Net.Http.Headers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tests.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>The messages of gRPC calls, as the client's door counts them.</summary>
public sealed class ClientMessagesTests
{
    private static readonly byte[] Answers = GrpcFrames.Of(0, 7, 5000);

    [Theory]
    [InlineData(HttpCompletionOption.ResponseContentRead, true)]
    [InlineData(HttpCompletionOption.ResponseContentRead, false)]
    [InlineData(HttpCompletionOption.ResponseHeadersRead, true)]
    [InlineData(HttpCompletionOption.ResponseHeadersRead, false)]
    public async Task A_call_is_told_with_the_messages_of_both_ways(HttpCompletionOption completion, bool length)
    {
        await using var server = await StartAsync();
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        using var request = Request("http://reviews:9080/pkg.Service/Call", length ? new ByteArrayContent(GrpcFrames.Of(9, 9)) : Parts(GrpcFrames.Of(9, 9)));
        var content = request.Content;
        using var response = await mesh.Client().SendAsync(request, completion).Within();
        (await response.Content.ReadAsByteArrayAsync().Within()).ShouldBe(Answers);

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        told.Messages.ShouldBe((2, 3));
        (told.RequestBytes, told.ResponseBytes).ShouldBe((28, Answers.Length));
        request.Content.ShouldBeSameAs(content);
    }

    [Fact]
    public async Task A_stream_is_told_with_the_messages_that_have_passed_when_its_caller_leaves()
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                var one = new byte[6];
                while (true)
                {
                    await context.Request.Body.ReadExactlyAsync(one);
                    await context.Response.Body.WriteAsync(GrpcFrames.Of(1, 1));
                    await context.Response.Body.FlushAsync();
                }
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        using var turn = new SemaphoreSlim(1);
        using var request = Request("http://reviews:9080/pkg.Service/Call", new ScriptedContent(async stream =>
        {
            while (true)
            {
                await turn.WaitAsync();
                await stream.WriteAsync(GrpcFrames.Of(1));
                await stream.FlushAsync();
            }
        }));
        var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();
        var body = await response.Content.ReadAsStreamAsync().Within();
        for (var i = 0; i < 3; i++)
        {
            await body.ReadExactlyAsync(new byte[12]).AsTask().Within();
            if (i < 2)
            {
                turn.Release();
            }
        }

        response.Dispose();

        mesh.Records.Ended.ShouldHaveSingleItem().Messages.ShouldBe((3, 6));
    }

    [Fact]
    public async Task What_is_no_gRPC_has_no_messages()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.Body.WriteAsync(Answers), HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        using var plain = Request("http://reviews:9080/", new ByteArrayContent(GrpcFrames.Of(9)), "application/octet-stream");
        using var answer = await mesh.Client().SendAsync(plain).Within();
        using var call = Request("http://reviews:9080/", new ByteArrayContent(GrpcFrames.Of(9)));
        using var other = await mesh.Client().SendAsync(call).Within();

        mesh.Records.Ended.Select(r => r.Messages).ShouldBe([(0, 0), (1, 0)]);
    }

    [Fact]
    public async Task A_call_that_leaves_the_mesh_is_counted_as_well()
    {
        // An address of this machine that is no loopback's: to the mesh it is as foreign as any.
        await using var server = await StartAsync(IPAddress.Any);
        var authority = $"{OwnAddress.Address}:{server.Port}";
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.AllowAny);
        mesh.Xds.Remove(ListenerType.Instance, authority);
        using var request = Request($"http://{authority}/pkg.Service/Call", Parts(GrpcFrames.Of(9, 9)));
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var content = request.Content;
        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        told.Cluster.ShouldBe(OutsideClusters.Passthrough);
        told.Messages.ShouldBe((2, 3));
        request.Content.ShouldBeSameAs(content);
    }

    private static Task<WebServer> StartAsync(IPAddress? address = null)
        => WebServer.StartAsync(
            async context =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.ContentType = "application/grpc";
                foreach (var part in Answers.Chunk(7))
                {
                    await context.Response.Body.WriteAsync(part);
                }
            },
            HttpProtocols.Http2,
            address);

    private static HttpRequestMessage Request(string uri, HttpContent content, string type = "application/grpc")
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return new HttpRequestMessage(HttpMethod.Post, uri) { Content = content };
    }

    private static ScriptedContent Parts(byte[] bytes)
        => new(async stream =>
        {
            foreach (var part in bytes.Chunk(4))
            {
                await stream.WriteAsync(part);
            }
        });
}
