using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using TypedStruct = global::Xds.Type.V3.TypedStruct;

namespace Mesh.Server.Tests.Http;

/// <summary>Filters that read the application's response, change it, or answer in its place.</summary>
public sealed class ApplicationFilterTests
{
    private static readonly string Long = new('x', 100_000);

    [Fact]
    public async Task A_filter_reads_the_whole_body_which_the_caller_gets_nevertheless()
    {
        await using var host = await StartAsync<Reading>(async context =>
        {
            await context.Response.WriteAsync("hello ");
            await context.Response.Body.FlushAsync();
            await context.Response.WriteAsync("world");
        });

        var answer = await host.SendAsync("/");

        (answer.Status, answer.Body, answer.Headers["x-read"]).ShouldBe((200, "hello world", "11"));
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_given_to_the_caller_if_the_filter_does_not_mind()
    {
        await using var host = await StartAsync<Reading>(async context =>
        {
            await context.Response.WriteAsync(Long);
            await context.Response.WriteAsync("end");
        });

        var answer = await host.SendAsync("/");

        (answer.Headers["x-read"], answer.Body.Length).ShouldBe(("too long", Long.Length + 3));
    }

    [Fact]
    public async Task An_empty_body_is_read_too_and_its_length_is_said()
    {
        await using var host = await StartAsync<Reading>(context =>
        {
            context.Response.StatusCode = 202;
            return Task.CompletedTask;
        });

        var answer = await host.SendAsync("/");

        (answer.Status, answer.Headers["x-read"], answer.Headers["content-length"]).ShouldBe((202, "0", "0"));
    }

    [Theory]
    [InlineData("stream")]
    [InlineData("writer")]
    [InlineData("nothing")]
    [InlineData("complete")]
    [InlineData("start")]
    [InlineData("file")]
    public async Task A_filter_answers_in_place_of_the_application_however_it_writes(string how)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Long);
        await using var host = await StartAsync<Replying>(async context =>
        {
            context.Response.Headers["x-secret"] = "s";
            switch (how)
            {
                case "stream":
                    await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Long));
                    await context.Response.Body.FlushAsync();
                    break;
                case "writer":
                    context.Response.BodyWriter.Write(Encoding.UTF8.GetBytes("secret"));
                    break;
                case "complete":
                    await context.Response.WriteAsync("secret");
                    await context.Response.CompleteAsync();
                    break;
                case "start":
                    await context.Response.StartAsync();
                    await context.Response.WriteAsync("secret");
                    break;
                case "file":
                    await context.Response.SendFileAsync(file);
                    break;
            }
        });

        var answer = await host.SendAsync("/");

        (answer.Status, answer.Body, answer.Headers.ContainsKey("x-secret")).ShouldBe((418, "instead", false));
        File.Delete(file);
    }

    [Fact]
    public async Task What_passes_is_not_changed_however_it_is_written()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Long);
        await using var host = await StartAsync<Watching>(context => context.Request.Path.Value switch
        {
            "/file" => context.Response.SendFileAsync(file),
            "/json" => context.Response.WriteAsJsonAsync(new { a = 1 }),
            "/nothing" => Task.CompletedTask,
            "/304" => Status(context, 304),
            _ => context.Response.WriteAsync(Long),
        });

        (await host.SendAsync("/file")).Body.ShouldBe(Long);
        (await host.SendAsync("/long")).Body.ShouldBe(Long);
        (await host.SendAsync("/json")).Body.ShouldBe("""{"a":1}""");
        (await host.SendAsync("/nothing")).Headers["content-length"].ShouldBe("0");
        (await host.SendAsync("/304")).Status.ShouldBe(304);
        (await host.SendAsync("HEAD", "/long", null)).Status.ShouldBe(200);
        File.Delete(file);
    }

    [Fact]
    public async Task A_filter_that_throws_is_500_and_the_applications_body_is_not_sent()
    {
        await using var host = await StartAsync<Throwing>(context => context.Response.WriteAsync("secret"));

        (await host.SendAsync("/request")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(500), a => a.Body.ShouldBeEmpty());
        (await host.SendAsync("/response")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(500), a => a.Body.ShouldBeEmpty());
        host.Requests.Select(r => r.Path).ShouldBe(["/response"]);
    }

    [Fact]
    public async Task An_application_that_fails_while_a_filter_waits_for_its_body_is_500()
    {
        await using var host = await StartAsync<Reading>(async context =>
        {
            await context.Response.WriteAsync("half");
            throw new InvalidOperationException("no");
        });

        (await host.SendAsync("/")).ShouldSatisfyAllConditions(a => a.Status.ShouldBe(500), a => a.Body.ShouldNotContain("half"));
    }

    [Fact]
    public async Task A_web_socket_goes_through_a_filter_that_reads_bodies()
    {
        await using var host = await StartAsync<Reading>(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[10];
            var read = await socket.ReceiveAsync(buffer, default);
            await socket.SendAsync(buffer.AsMemory(0, read.Count), WebSocketMessageType.Text, true, default);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        });
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{host.EndPoint}/"), default);
        await client.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var echo = new byte[10];

        var answer = await client.ReceiveAsync(echo, default);

        Encoding.UTF8.GetString(echo, 0, answer.Count).ShouldBe("ping");
    }

    [Fact]
    public async Task A_filter_routes_anew_by_what_it_has_changed()
    {
        await using var host = await StartAsync<Rerouting>(context => context.Response.WriteAsync("app " + context.Request.Path + context.Request.QueryString), m =>
        {
            m.RouteConfig.VirtualHosts[0].Routes[0].Match.Prefix = "/inner";
        });

        (await host.SendAsync("/outer?a=b")).Body.ShouldBe("app /inner/outer?a=b");
    }

    [Fact]
    public async Task A_filter_is_told_of_every_end()
    {
        await using var host = await StartAsync<Ending>(context => context.Request.Path == "/fails" ? throw new InvalidOperationException("no") : context.Response.WriteAsync("ok"));

        await host.SendAsync("/");
        await host.SendAsync("/fails");
        await host.SendAsync("/replied");

        // The last word of a request may come after its last byte.
        for (var i = 0; i < 3; i++)
        {
            (await Ending.Ends.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        }
    }

    private static async Task<DoorHost> StartAsync<TFilter>(RequestDelegate application, Action<HttpConnectionManager>? configure = null)
        where TFilter : Mesh.Filters.HttpFilter
        => await DoorHost.StartAsync(
            manager =>
            {
                manager.HttpFilters.Insert(0, new Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter
                {
                    Name = "x",
                    TypedConfig = Any.Pack(new TypedStruct { TypeUrl = "type.googleapis.com/test.Filter", Value = new Struct() }),
                });
                configure?.Invoke(manager);
            },
            app =>
            {
                app.UseWebSockets();
                app.Run(application);
            },
            types: new FilterTypes([new HttpFilterRegistration("type.googleapis.com/test.Filter", typeof(TFilter))], new ServiceCollection().BuildServiceProvider()));

    private static Task Status(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public sealed class Watching : Mesh.Filters.HttpFilter
    {
        public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            exchange.ResponseHeaders.Set("x-seen", "yes");
            return ValueTask.CompletedTask;
        }
    }

    public sealed class Reading : Mesh.Filters.HttpFilter
    {
        public override async ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            var body = await exchange.BufferResponseBodyAsync(1000, cancellationToken);
            exchange.ResponseHeaders.Set("x-read", body is { } read ? read.Length.ToString(System.Globalization.CultureInfo.InvariantCulture) : "too long");
        }
    }

    public sealed class Replying : Mesh.Filters.HttpFilter
    {
        public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            if (!exchange.IsReplied)
            {
                exchange.Reply(418, "instead");
            }

            return ValueTask.CompletedTask;
        }
    }

    public sealed class Throwing : Mesh.Filters.HttpFilter
    {
        public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
            => exchange.Path == "/request" ? throw new InvalidOperationException("no") : ValueTask.CompletedTask;

        public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
            => exchange.Path == "/response" && !exchange.IsReplied ? throw new InvalidOperationException("no") : ValueTask.CompletedTask;
    }

    public sealed class Rerouting : Mesh.Filters.HttpFilter
    {
        public override async ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            await Task.Yield();
            exchange.Path = "/inner" + exchange.Path;
            exchange.ClearRouteCache();
        }
    }

    public sealed class Ending : Mesh.Filters.HttpFilter
    {
        public static SemaphoreSlim Ends { get; } = new(0);

        public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
        {
            if (exchange.Path == "/replied")
            {
                exchange.Reply(403);
            }

            return ValueTask.CompletedTask;
        }

        public override void OnEnd(HttpExchange exchange) => Ends.Release();
    }
}
