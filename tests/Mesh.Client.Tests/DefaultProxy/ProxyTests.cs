using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh.Client.DefaultProxy;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests.DefaultProxy;

public class ProxyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_of_nobody_follows_the_meshs_rules(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            context => context.Response.WriteAsync($"{context.Request.Method} {context.Request.Host} {context.Request.Path}{context.Request.QueryString}"),
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port, http2);
        using var client = proxied.Client();

        (await client.GetStringAsync("http://reviews:9080/a?b=c").Within()).ShouldBe("GET reviews:9080 /a?b=c");
        (await client.GetStringAsync("http://reviews:9080/again").Within()).ShouldBe("GET reviews:9080 /again");

        proxied.Mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Local_replies_are_responses()
    {
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", 1);
        proxied.Mesh.SetEndpoints("reviews:9080");
        using var client = proxied.Client();

        using var response = await client.GetAsync("http://reviews:9080/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("no healthy upstream");
    }

    [Fact]
    public async Task A_reply_to_a_long_upload_arrives_and_the_connection_goes_on()
    {
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", 1).SetEndpoints("reviews:9080");
        using var client = proxied.Client();
        using var content = new StreamContent(new ReadOnceStream(new byte[8 * 1024 * 1024]));

        using var response = await client.PostAsync("http://reviews:9080/", content).Within();
        using var next = await client.GetAsync("http://reviews:9080/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        next.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_proxy_that_was_there_before_keeps_TLS_to_hosts_that_are_not_the_meshs()
    {
        await using var proxied = new ProxiedMesh();
        var corporate = new WebProxy("http://corporate:3128") { Credentials = new NetworkCredential("me", "mine") };
        var logs = proxied.Mesh.Services.GetRequiredService<Microsoft.Extensions.Logging.ILoggerFactory>().CreateLogger("proxy");
        var proxy = new MeshProxy(proxied.Listener.LocalEndPoint, proxied.Token, corporate, "cluster.local", logs);
        var own = proxied.Listener.LocalEndPoint.Port;

        proxy.GetProxy(new Uri("https://api.github.com/")).ShouldBe(new Uri("http://corporate:3128"));
        proxy.GetProxy(new Uri("https://api.github.com/again")).ShouldBe(new Uri("http://corporate:3128"));
        proxy.GetProxy(new Uri("https://reviews.default.svc.cluster.local/"))!.Port.ShouldBe(own);
        proxy.GetProxy(new Uri("http://api.github.com/"))!.Port.ShouldBe(own);
        proxy.Credentials!.GetCredential(new Uri("http://corporate:3128"), "Basic")!.Password.ShouldBe("mine");
        proxy.Credentials.GetCredential(proxy.GetProxy(new Uri("https://reviews/"))!, "Basic")!.Password.ShouldBe(proxied.Token.Secret);
        proxied.Mesh.Logs.Lines.Where(l => l.Contains("corporate:3128", StringComparison.Ordinal)).ShouldHaveSingleItem();

        proxy.Close();
        proxy.GetProxy(new Uri("http://api.github.com/")).ShouldBe(new Uri("http://corporate:3128"));
    }

    [Fact]
    public async Task A_host_outside_of_the_mesh_goes_by_the_outbound_policy()
    {
        await using var allowing = new ProxiedMesh();
        allowing.Mesh.Xds.Remove(ListenerType.Instance, "outside.invalid:80");
        using var client = allowing.Client();
        using var failed = await client.GetAsync("http://outside.invalid/").Within();
        failed.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await using var refusing = new ProxiedMesh(options => options.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);
        refusing.Mesh.Xds.Remove(ListenerType.Instance, "outside.invalid:80");
        using var other = refusing.Client();
        using var refused = await other.GetAsync("http://outside.invalid/").Within();
        refused.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_can_be_read_only_once_arrives(bool chunked)
    {
        var body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i:x8}")));
        await using var server = await WebServer.StartAsync(async context =>
        {
            using var received = new MemoryStream();
            await context.Request.Body.CopyToAsync(received);
            await context.Response.Body.WriteAsync(received.ToArray());
        });
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        using var client = proxied.Client();
        using var content = new StreamContent(new ReadOnceStream(body));
        content.Headers.ContentLength = chunked ? null : body.Length;

        using var response = await client.PostAsync("http://reviews:9080/", content).Within();

        (await response.Content.ReadAsByteArrayAsync().Within()).ShouldBe(body);
    }

    [Fact]
    public async Task Trailers_and_streams_pass()
    {
        var release = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.DeclareTrailer("x-sum");
                await context.Response.WriteAsync("first\n");
                await context.Response.Body.FlushAsync();
                await release.Task;
                await context.Response.WriteAsync("second");
                context.Response.AppendTrailer("x-sum", "12");
            },
            HttpProtocols.Http2);
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port, http2: true);
        using var client = proxied.Client();

        using var response = await client.GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync().Within()).ShouldBe("first");
        release.SetResult();
        (await reader.ReadToEndAsync().Within()).ShouldBe("second");

        response.TrailingHeaders.GetValues("x-sum").ShouldBe(["12"]);
    }

    [Fact]
    public async Task A_caller_that_leaves_ends_its_request()
    {
        var gone = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(async context =>
        {
            arrived.SetResult();
            await context.RequestAborted.Until();
            gone.SetResult();
        });
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        using var client = proxied.Client();
        using var leaving = new CancellationTokenSource();

        var request = client.GetAsync("http://reviews:9080/", leaving.Token);
        await arrived.Task.Within();
        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => request.Within());
        await gone.Task.Within();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_web_socket_of_nobody_is_routed(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                using var accepted = await context.WebSockets.AcceptWebSocketAsync();
                var buffer = new byte[100];
                var received = await accepted.ReceiveAsync(buffer, default);
                await accepted.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                await accepted.CloseAsync(WebSocketCloseStatus.NormalClosure, context.Request.Path, default);
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("chat:80", server.Port, http2);
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = proxied.Proxy;

        await socket.ConnectAsync(new Uri("ws://chat/room"), default).Within();
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default).Within();
        var buffer = new byte[100];
        var echoed = await socket.ReceiveAsync(buffer, default).Within();
        Encoding.UTF8.GetString(buffer, 0, echoed.Count).ShouldBe("hello");
        (await socket.ReceiveAsync(buffer, default).Within()).CloseStatusDescription.ShouldBe("/room");
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default).Within();
        socket.Dispose();

        await proxied.DisposeAsync();
        proxied.Mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Who_cannot_show_the_token_gets_nothing()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("secret"));
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);

        using var stranger = await proxied.ConnectAsync();
        await stranger.SendAsync("GET http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n\r\n");
        (await stranger.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 407 ");
        await stranger.ReadUntilAsync("other.");
        await stranger.SendAsync("CONNECT reviews:9080 HTTP/1.1\r\nHost: reviews:9080\r\nProxy-Authorization: Basic bWVzaDptZXNo\r\n\r\n");
        (await stranger.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 407 ");

        using var socks = await proxied.ConnectAsync();
        await socks.SendAsync("\u0005\u0001\u0000");
        (await socks.ReadToEndAsync()).ShouldBe("\u0005\u00ff");

        using var guessing = await proxied.ConnectAsync();
        await guessing.SendAsync("\u0005\u0001\u0002\u0001\u0004mesh\u0004mesh");
        (await guessing.ReadToEndAsync()).ShouldBe("\u0005\u0002\u0001\u0001");
        server.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Requests_follow_one_another_on_a_connection_and_may_be_sent_ahead()
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync($"[{context.Request.Method} {context.Request.Path} {body} {context.Request.Headers["Proxy-Authorization"]}]");
        });
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        using var caller = await proxied.ConnectAsync();

        await caller.SendAsync(
            $"GET http://reviews:9080/1 HTTP/1.1\r\nHost: reviews:9080\r\n{Authorization(proxied)}\r\n"
            + "POST http://reviews:9080/2 HTTP/1.1\r\nHost: ignored\r\nContent-Length: 2\r\n\r\nab"
            + "POST http://reviews:9080/3 HTTP/1.1\r\nHost: reviews:9080\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\nc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"
            + "HEAD http://reviews:9080/4 HTTP/1.1\r\nHost: reviews:9080\r\n\r\n"
            + "GET http://reviews:9080/5 HTTP/1.1\r\nHost: reviews:9080\r\nConnection: close\r\n\r\n");

        var answers = await caller.ReadToEndAsync();
        answers.Split("HTTP/1.1 200 OK").Length.ShouldBe(6);
        foreach (var body in new[] { "[GET /1  ]", "[POST /2 ab ]", "[POST /3 cde ]", "[GET /5  ]" })
        {
            answers.ShouldContain(body);
        }

        answers.ShouldNotContain("/4");
    }

    [Fact]
    public async Task A_caller_that_asks_first_is_told_to_go_on()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync(await new StreamReader(context.Request.Body).ReadToEndAsync()));
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        using var caller = await proxied.ConnectAsync();

        await caller.SendAsync($"POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n{Authorization(proxied)}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        (await caller.ReadUntilAsync("\r\n\r\n")).ShouldBe("HTTP/1.1 100 Continue\r\n\r\n");
        await caller.SendAsync("hello");

        (await caller.ReadUntilAsync("hello")).ShouldStartWith("HTTP/1.1 200 OK");
    }

    [Theory]
    [InlineData("GET http://reviews:9080/ HTTP/1.1\nHost: reviews:9080\r\n\r\n")]
    [InlineData("POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [InlineData("POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n")]
    [InlineData("POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloGET /x HTTP/1.1\r\n\r\n")]
    [InlineData("POST http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n0\r\n\r\n")]
    [InlineData("GET /path HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    [InlineData("GET https://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    [InlineData("GET http://user@reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    [InlineData("GET http:///x HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    [InlineData("CONNECT reviews HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    [InlineData("CONNECT http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n\r\n")]
    public async Task What_could_be_smuggled_is_refused_and_ends_the_connection(string request)
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("reached " + await new StreamReader(context.Request.Body).ReadToEndAsync()));
        await using var proxied = new ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        using var caller = await proxied.ConnectAsync();
        await caller.SendAsync($"GET http://reviews:9080/ HTTP/1.1\r\nHost: reviews:9080\r\n{Authorization(proxied)}\r\n");
        await caller.ReadUntilAsync("reached ");
        await caller.ReadUntilAsync("\r\n0\r\n\r\n");

        await caller.SendAsync(request + "GET http://reviews:9080/smuggled HTTP/1.1\r\nHost: reviews:9080\r\n\r\n");

        var answer = await caller.ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 400 ");
        answer.ShouldNotContain("reached");
    }

    [Fact]
    public async Task A_tunnel_carries_bytes_both_ways_to_where_the_mesh_connects()
    {
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp);
        upstream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        upstream.Listen();
        string? asked = null;
        await using var proxied = new ProxiedMesh(connect: async (host, port, token) =>
        {
            asked = $"{host}:{port}";
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(upstream.LocalEndPoint!, token);
            return new NetworkStream(socket, ownsSocket: true);
        });
        using var caller = await proxied.ConnectAsync();

        await caller.SendAsync($"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n{Authorization(proxied)}\r\nearly");
        (await caller.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 200 ");
        using var server = await upstream.AcceptAsync().Within();
        var buffer = new byte[5];
        (await server.ReceiveAsync(buffer).Within()).ShouldBe(5);
        Encoding.ASCII.GetString(buffer).ShouldBe("early");
        await server.SendAsync("late"u8.ToArray());
        await caller.ReadUntilAsync("late");
        server.Shutdown(SocketShutdown.Both);

        (await caller.ReadToEndAsync()).ShouldBeEmpty();
        asked.ShouldBe("db:5432");
    }

    [Fact]
    public async Task A_tunnel_that_is_refused_is_a_status_and_a_reason()
    {
        await using var proxied = new ProxiedMesh(connect: (_, _, _) => throw new SocketException((int)SocketError.ConnectionRefused, "REGISTRY_ONLY"));
        using var client = proxied.Client();

        var failure = await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://outside.example/").Within());
        failure.StatusCode.ShouldBe(HttpStatusCode.BadGateway);

        proxied.Mesh.Logs.Lines.ShouldContain(l => l.Contains("outside.example:443 was not reached", StringComparison.Ordinal) && l.Contains("REGISTRY_ONLY", StringComparison.Ordinal));
        proxied.Mesh.Logs.Lines.ShouldNotContain(l => l.Contains(proxied.Token.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_mesh_has_seen_and_what_stays_on_this_machine_is_left_alone()
    {
        await using var proxied = new ProxiedMesh();
        proxied.Proxy.GetProxy(new Uri("http://reviews/"))!.Scheme.ShouldBe("socks5");
        proxied.Proxy.GetProxy(new Uri("ws://reviews/"))!.Scheme.ShouldBe("socks5");
        proxied.Proxy.GetProxy(new Uri("https://api.github.com/"))!.Scheme.ShouldBe("http");

        proxied.Proxy.IsBypassed(new Uri("http://localhost:5000/")).ShouldBeTrue();
        proxied.Proxy.IsBypassed(new Uri("http://127.0.0.1/")).ShouldBeTrue();
        proxied.Proxy.IsBypassed(new Uri("http://[::1]/")).ShouldBeTrue();
        (await MarkedAsync(() => proxied.Proxy.IsBypassed(new Uri("http://reviews/")))).ShouldBeTrue();
        proxied.Proxy.Credentials!.GetCredential(new Uri("http://corporate:3128/"), "Basic").ShouldBeNull();

        proxied.Proxy.Close();
        proxied.Proxy.IsBypassed(new Uri("http://reviews/")).ShouldBeTrue();

        static async Task<bool> MarkedAsync(Func<bool> ask)
        {
            await Task.CompletedTask;
            OwnConnections.Mark();
            return ask();
        }
    }

    private static string Authorization(ProxiedMesh proxied)
        => $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes($"mesh:{proxied.Token.Secret}"))}\r\n";

    private sealed class ReadOnceStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
