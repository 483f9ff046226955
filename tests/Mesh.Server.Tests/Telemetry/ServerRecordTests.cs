using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Telemetry;
using Mesh.Server.Tests.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>What the server's door tells of its requests.</summary>
public sealed class ServerRecordTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_is_told_with_what_it_carried_and_how_it_came_out(bool http2)
    {
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapPost("/echo", async context =>
            {
                context.Response.StatusCode = StatusCodes.Status201Created;
                await context.Request.Body.CopyToAsync(context.Response.Body);
            }),
            protocols: http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        using var client = host.Client(http2 ? HttpVersion.Version20 : HttpVersion.Version11);

        using var response = await client.PostAsync("/echo?a=b", new StringContent("12345678"));

        await host.Records.EndedAsync(1);
        var told = host.Records.Ended.ShouldHaveSingleItem();
        told.Reporter.ShouldBe(Reporter.Destination);
        (told.Method, told.Path, told.Authority).ShouldBe(("POST", "/echo?a=b", host.EndPoint.ToString()));
        (told.Status, told.Flags, told.Details, told.Attempts).ShouldBe((201, "", "via_upstream", 1));
        (told.RequestBytes, told.ResponseBytes).ShouldBe((8, 8));
    }

    [Fact]
    public async Task Bodies_without_a_length_are_counted_however_they_are_written()
    {
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapPost("/", async context =>
            {
                var read = await context.Request.BodyReader.ReadAtLeastAsync(1000);
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                context.Response.BodyWriter.GetSpan(3).Clear();
                context.Response.BodyWriter.Advance(3);
                await context.Response.BodyWriter.FlushAsync();
                await context.Response.Body.WriteAsync(new byte[4]);
            }));
        using var client = host.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StreamContent(new MemoryStream(new byte[1000])) };
        request.Headers.TransferEncodingChunked = true;

        using var response = await client.SendAsync(request);

        await host.Records.EndedAsync(1);
        var told = host.Records.Ended.ShouldHaveSingleItem();
        (told.RequestBytes, told.ResponseBytes).ShouldBe((1000, 7));
    }

    [Fact]
    public async Task What_the_mesh_answers_itself_is_told_with_its_reason()
    {
        await using var host = await DoorHost.StartAsync(m => m.RouteConfig.VirtualHosts[0].Routes[0].Match = new RouteMatch { Path = "/only" });

        (await host.SendAsync("/other")).Status.ShouldBe(404);

        await host.Records.EndedAsync(1);
        var told = host.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details, told.Attempts).ShouldBe((404, "NR", "route_not_found", 0));
    }

    [Fact]
    public async Task An_application_that_fails_is_told_with_the_status_that_its_caller_gets()
    {
        await using var host = await DoorHost.StartAsync(_ => { }, app => app.MapGet("/", (Func<string>)(() => throw new InvalidOperationException("no"))));

        (await host.SendAsync("/")).Status.ShouldBe(500);

        await host.Records.EndedAsync(1);
        host.Records.Ended.ShouldHaveSingleItem().Status.ShouldBe(500);
    }

    [Fact]
    public async Task A_caller_that_leaves_is_told_without_a_status()
    {
        var arrived = new TaskCompletionSource();
        await using var host = await DoorHost.StartAsync(
            _ => { },
            app => app.MapGet("/", async (HttpContext context) =>
            {
                arrived.SetResult();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }));
        using (var caller = new TcpClient())
        {
            await caller.ConnectAsync(host.EndPoint);
            await caller.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: reviews\r\n\r\n"));
            await arrived.Task;
            caller.Client.LingerState = new LingerOption(true, 0);
        }

        await host.Records.EndedAsync(1);
        var told = host.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((0, "DC", "downstream_remote_disconnect"));
    }

    [Fact]
    public async Task Without_anybody_who_wants_to_know_nothing_is_put_in_the_way()
    {
        Stream? body = null;
        await using var host = await DoorHost.StartAsync(null, app => app.MapGet("/", (HttpContext context) =>
        {
            body = context.Response.Body;
        }));

        (await host.SendAsync("/")).Status.ShouldBe(200);

        body!.GetType().Name.ShouldNotBe("CountedResponseBody");
        host.Records.Ended.ShouldBeEmpty();
    }
}
