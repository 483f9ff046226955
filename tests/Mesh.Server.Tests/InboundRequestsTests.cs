using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Tests;

public class InboundRequestsTests
{
    [Fact]
    public async Task A_draining_server_answers_HTTP_1_and_closes_the_connection()
    {
        await using var server = await StartAsync(HttpProtocols.Http1);
        using var client = new HttpClient();
        using (var before = await client.GetAsync(server.Urls.First()))
        {
            before.Headers.ConnectionClose.ShouldNotBe(true);
        }

        server.Services.GetRequiredService<InboundRequests>().Drain();
        using var after = await client.GetAsync(server.Urls.First());
        after.StatusCode.ShouldBe(HttpStatusCode.OK);
        after.Headers.ConnectionClose.ShouldBe(true);
    }

    [Fact]
    public async Task A_draining_server_answers_HTTP_2_and_the_next_requests_take_a_new_connection()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var first = await client.GetStringAsync(server.Urls.First());
        (await client.GetStringAsync(server.Urls.First())).ShouldBe(first);

        server.Services.GetRequiredService<InboundRequests>().Drain();
        (await client.GetStringAsync(server.Urls.First())).ShouldBe(first);

        // The server says so beside its response, which may be there before.
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await client.GetStringAsync(server.Urls.First(), guard.Token) == first)
        {
        }
    }

    [Fact]
    public async Task Requests_are_counted_until_their_response_has_ended_however_it_ends()
    {
        var requests = new InboundRequests(TimeProvider.System);
        var answer = new TaskCompletionSource();
        var serving = requests.InvokeAsync(new DefaultHttpContext(), _ => answer.Task);
        requests.Active.ShouldBe(1);
        answer.SetException(new InvalidOperationException("the application failed"));
        await Should.ThrowAsync<InvalidOperationException>(() => serving);
        requests.Active.ShouldBe(0);

        await requests.InvokeAsync(new DefaultHttpContext(), _ => Task.CompletedTask);
        Should.Throw<InvalidOperationException>(() => { _ = requests.InvokeAsync(new DefaultHttpContext(), _ => throw new InvalidOperationException()); });
        requests.Active.ShouldBe(0);
    }

    private static async Task<WebApplication> StartAsync(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = protocols));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<InboundRequests>().AddSingleton<IStartupFilter, MeshStartupFilter>();
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(context.Connection.Id));
        await app.StartAsync();
        return app;
    }
}
