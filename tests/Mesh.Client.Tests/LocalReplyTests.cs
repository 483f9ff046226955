using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Mesh.Testing;
using Mesh.Xds.Client;

namespace Mesh.Client.Tests;

/// <summary>What the mesh answers itself reads as Envoy's answer does (its router and <c>resetReasonToString</c>).</summary>
public class LocalReplyTests
{
    private const string Prefix = "upstream connect error or disconnect/reset before headers. reset reason: ";

    [Fact]
    public async Task A_refused_connection_is_UF()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", ClosedPort.Take());

        await ShouldReplyAsync(
            mesh,
            503,
            "UF",
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
            Prefix + "remote connection failure, transport failure reason: delayed connect error: Connection refused");
    }

    [Fact]
    public async Task A_connection_that_is_not_made_in_time_is_UF_with_connection_timeout()
    {
        // Nobody accepts, and the backlog is full: further SYNs are dropped.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.LocalEndPoint!);
        var time = new ManualTimeProvider();
        await using var mesh = ClientMesh.Create(time: time).Serve("reviews:9080", ((IPEndPoint)listener.LocalEndPoint!).Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var sending = mesh.Client().SendAsync(request);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5)).Within();

        time.Advance(TimeSpan.FromSeconds(5));

        using var response = await sending.Within();
        await ShouldBeReplyAsync(response, 503, "UF", "upstream_reset_before_response_started{connection_timeout}", Prefix + "connection timeout");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", true)]
    public async Task A_connection_that_ends_before_the_headers_have_is_UC(string sent, bool reset)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(sent);
            if (reset)
            {
                connection.Reset();
            }
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);

        await ShouldReplyAsync(mesh, 503, "UC", "upstream_reset_before_response_started{connection_termination}", Prefix + "connection termination");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 2OO OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public async Task An_answer_that_is_no_HTTP_is_502_UPE(string answer)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(answer);
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);

        await ShouldReplyAsync(mesh, 502, "UPE", "upstream_reset_before_response_started{protocol_error}", Prefix + "protocol error");
    }

    [Fact]
    public async Task No_endpoint_is_UH()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", 1).SetEndpoints("reviews:9080");
        await ShouldReplyAsync(mesh, 503, "UH", "no_healthy_upstream", "no healthy upstream");
    }

    [Fact]
    public async Task No_cluster_is_NC()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", 1);
        mesh.Xds.Remove(ClusterType.Instance, "reviews:9080");
        await ShouldReplyAsync(mesh, 503, "NC", "cluster_not_found", "");
    }

    [Fact]
    public async Task No_route_is_404_NR()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", 1);
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("reviews:9080", DataPlane.Tests.Resources.Prefix("/elsewhere", "reviews:9080")));
        await ShouldReplyAsync(mesh, 404, "NR", "route_not_found", "");
    }

    [Fact]
    public async Task A_reply_to_HEAD_has_no_body()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", ClosedPort.Take());
        using var request = new HttpRequestMessage(HttpMethod.Head, "http://reviews:9080/");
        using var response = await mesh.Client().SendAsync(request).Within();

        ((int)response.StatusCode).ShouldBe(503);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("refused", 14)]
    [InlineData("no route", 12)]
    [InlineData("no cluster", 14)]
    public async Task A_gRPC_caller_gets_trailers_only(string failure, int status)
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", ClosedPort.Take(), http2: true);
        if (failure == "no route")
        {
            mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("reviews:9080"));
        }
        else if (failure == "no cluster")
        {
            mesh.Xds.Remove(ClusterType.Instance, "reviews:9080");
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/svc/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc+proto") } },
        };

        using var response = await mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Version.ShouldBe(HttpVersion.Version20);
        response.RequestMessage.ShouldBeSameAs(request);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        response.Headers.GetValues("grpc-status").ShouldBe([status.ToString()]);
        if (failure == "refused")
        {
            response.Headers.GetValues("grpc-message")
                .ShouldBe([Prefix + "remote connection failure, transport failure reason: delayed connect error: Connection refused"]);
        }

        request.Version.ShouldBe(HttpVersion.Version20);
        request.VersionPolicy.ShouldBe(HttpVersionPolicy.RequestVersionOrHigher);
    }

    [Fact]
    public async Task The_outcome_of_an_earlier_sending_does_not_stay_on_the_message()
    {
        await using var server = await WebServer.StartAsync(_ => Task.CompletedTask);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", ClosedPort.Take());
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        var invoker = mesh.Invoker();
        (await invoker.SendAsync(request, default).Within()).Dispose();
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UF");
        request.Options.TryGetValue(MeshRequest.Attempts, out var attempts).ShouldBeTrue();
        attempts.ShouldBe(1);

        mesh.SetEndpoints("reviews:9080", server.Port);
        (await invoker.SendAsync(request, default).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        request.Options.TryGetValue(MeshRequest.ResponseFlags, out _).ShouldBeFalse();
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out _).ShouldBeFalse();
        mesh.SetEndpoints("reviews:9080");
        (await invoker.SendAsync(request, default).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        request.Options.TryGetValue(MeshRequest.Attempts, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, typeof(IOException))]
    [InlineData(true, typeof(IOException))]
    [InlineData(false, typeof(InvalidDataException))]
    [InlineData(true, typeof(InvalidDataException))]
    [InlineData(false, typeof(TimeoutException))]
    [InlineData(true, typeof(TimeoutException))]
    public async Task What_the_request_body_throws_is_the_callers(bool http2, Type type)
    {
        await using var server = await WebServer.StartAsync(
            async context => await context.Request.Body.CopyToAsync(Stream.Null),
            http2 ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        var thrown = (Exception)Activator.CreateInstance(type, "the file is gone")!;
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/") { Content = new ScriptedContent(_ => Task.FromException(thrown)) };

        var caught = await Should.ThrowAsync<Exception>(() => mesh.Invoker().SendAsync(request, default).Within());

        (caught == thrown || caught.InnerException == thrown).ShouldBeTrue(caught.ToString());
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_resets_the_connection_during_an_upload_is_UC()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            connection.Reset();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = new ScriptedContent(async stream =>
            {
                while (true)
                {
                    await stream.WriteAsync(new byte[100_000]);
                }
            }),
        };
        using var response = await mesh.Client().SendAsync(request).Within();

        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
        flags.ShouldBe("UC");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task The_time_limit_of_the_client_is_told_as_the_client_tells_it()
    {
        using var server = new RawServer(connection => connection.WaitForEndAsync());
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var client = mesh.Client();
        client.Timeout = TimeSpan.FromMilliseconds(50);

        // (Shouldly makes an exception of its own of a cancelled task.)
        var exception = await Record.ExceptionAsync(() => client.GetAsync("http://reviews:9080/"));

        exception.ShouldBeOfType<TaskCanceledException>().InnerException.ShouldBeOfType<TimeoutException>();

        mesh.ActiveRequests.ShouldBe(0);
    }

    private static async Task ShouldReplyAsync(ClientMesh mesh, int status, string flags, string details, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        using var response = await mesh.Client().SendAsync(request).Within();
        response.RequestMessage.ShouldBeSameAs(request);
        await ShouldBeReplyAsync(response, status, flags, details, body);
        mesh.ActiveRequests.ShouldBe(0);
    }

    private static async Task ShouldBeReplyAsync(HttpResponseMessage response, int status, string flags, string details, string body)
    {
        var options = response.RequestMessage!.Options;
        options.TryGetValue(MeshRequest.ResponseFlags, out var actualFlags).ShouldBeTrue();
        actualFlags.ShouldBe(flags);
        options.TryGetValue(MeshRequest.ResponseCodeDetails, out var actualDetails).ShouldBeTrue();
        actualDetails.ShouldBe(details);
        ((int)response.StatusCode).ShouldBe(status);
        response.Version.ShouldNotBeNull();
        (await response.Content.ReadAsStringAsync()).ShouldBe(body);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/plain");
    }
}
