using System.Net;
using System.Net.Sockets;
using Mesh.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Tests.Http;

/// <summary>Requests that two readers could see end at two places are one, or none.</summary>
public sealed class RequestFramingTests
{
    private const string Second = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: y\r\n folded\r\n\r\n", 400)]
    public async Task A_request_with_two_ends_is_refused_and_its_connection_closed(string request, int status)
    {
        await using var host = await DoorHost.StartAsync(_ => { });

        (await host.SendRawAsync(request + Second)).Status.ShouldBe(status);

        host.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_chunked_and_nothing_else_passes()
    {
        await using var host = await DoorHost.StartAsync(_ => { });

        (await host.SendRawAsync("POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")).Body.ShouldBe("/a");
    }

    [Fact]
    public async Task A_line_that_ends_with_a_line_feed_alone_is_refused()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, LineFeeds>();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.Run(context => context.Response.WriteAsync("served"));
        await app.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(new Uri(app.Urls.First()).Authority));
        await client.GetStream().WriteAsync("GET / HTTP/1.1\nHost: a\nConnection: close\n\n"u8.ToArray());

        (await new StreamReader(client.GetStream()).ReadToEndAsync()).ShouldStartWith("HTTP/1.1 400");
    }
}
