using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests;

public class ConnectionPoolTests
{
    private static readonly string[] Names = ["reviews:9080", "reviews.default:9080", "reviews.default.svc.cluster.local:9080"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_names_of_one_service_share_the_connections_to_an_endpoint(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            context => context.Response.WriteAsync(context.Request.Host.Value!),
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ServeUnderAllNames(server.Port, http2);

        for (var i = 0; i < 2; i++)
        {
            foreach (var name in Names)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{name}/");
                using var response = await mesh.Client().SendAsync(request).Within();
                (await response.Content.ReadAsStringAsync()).ShouldBe(name);
                response.RequestMessage!.RequestUri!.Authority.ShouldBe(name);
                request.Headers.Host.ShouldBeNull();
            }
        }

        server.Connections.ShouldBe(1);
    }

    [Theory]
    [InlineData("/a%2Fb/%41/c%20d/%7Euser")]
    [InlineData("/?q=%41%2f&r=a+b%20c&s='(x)'")]
    [InlineData("/caf%C3%A9/%E2%82%AC?%zz=%")]
    [InlineData("/a//b/./c;v=1")]
    public async Task The_target_goes_over_the_wire_byte_by_byte_whatever_name_is_used(string target)
    {
        var heads = new ConcurrentQueue<string>();
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is { } head)
            {
                heads.Enqueue(head);
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        await using var mesh = ServeUnderAllNames(server.Port, http2: false);
        var raw = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        foreach (var name in Names)
        {
            (await mesh.Client().GetAsync(new Uri($"http://{name}{target}", raw)).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await mesh.Client().GetAsync(new Uri($"http://{name}{target}")).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var canonical = new Uri("http://reviews" + target).PathAndQuery;
        heads.Select(WithoutRequestId).ShouldBe(Names.SelectMany(n => new[] { $"GET {target} HTTP/1.1\r\nHost: {n}", $"GET {canonical} HTTP/1.1\r\nHost: {n}" }));
        server.Accepted.ShouldBe(1);
    }

    private static string WithoutRequestId(string head)
        => string.Join("\r\n", head.Split("\r\n").Where(line => !line.StartsWith("x-request-id:", StringComparison.OrdinalIgnoreCase)));

    [Fact]
    public async Task A_Host_header_of_the_caller_routes_and_goes_over_the_wire()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync(context.Request.Host.Value!));
        await using var mesh = ServeUnderAllNames(server.Port, http2: false);
        await mesh.Client().GetStringAsync("http://reviews:9080/").Within();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://gateway:8080/") { Headers = { Host = "reviews.default:9080" } };

        using var response = await mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("reviews.default:9080");
        request.Headers.Host.ShouldBe("reviews.default:9080");
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task Many_callers_with_many_names_get_their_own_answers()
    {
        const int Callers = 8;
        var arrived = 0;
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await WebServer.StartAsync(async context =>
        {
            if (context.Request.Path == "/together")
            {
                if (Interlocked.Increment(ref arrived) == Callers)
                {
                    together.SetResult();
                }

                await together.Task;
            }

            await context.Response.WriteAsync($"{context.Request.Host} {context.Request.Path}");
        });
        await using var mesh = ServeUnderAllNames(server.Port, http2: false);

        // Where callers outnumber connections, the framework may make one that nobody takes any more.
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(i => mesh.Client().GetStringAsync($"http://{Names[i % 3]}/together"))).Within();
        server.Connections.ShouldBe(Callers);
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (i, _) =>
        {
            var text = await mesh.Client().GetStringAsync($"http://{Names[i % 3]}/{i}").Within();
            if (text != $"{Names[i % 3]} /{i}")
            {
                wrong.Add(text);
            }
        });

        wrong.ShouldBeEmpty();
        server.Connections.ShouldBe(Callers);
    }

    [Fact]
    public async Task A_request_that_the_application_encrypts_names_its_host_to_the_server()
    {
        var names = new ConcurrentQueue<string>();
        using var server = new RawServer(async connection => names.Enqueue(ServerName(await ReadClientHelloAsync(connection))));
        await using var mesh = ClientMesh.Create().Serve("reviews.default.svc.cluster.local:443", server.Port).Serve("details.default.svc.cluster.local:443", server.Port);
        foreach (var host in new[] { "reviews.default.svc.cluster.local", "details.default.svc.cluster.local" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{host}/");
            using var response = await mesh.Client().SendAsync(request).Within();
            response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
            flags.ShouldBe("UF");
        }

        names.ShouldBe(["reviews.default.svc.cluster.local", "details.default.svc.cluster.local"]);
    }

    private static ClientMesh ServeUnderAllNames(int port, bool http2)
    {
        var mesh = ClientMesh.Create().SetCluster("reviews", http2).SetEndpoints("reviews", port);
        mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("reviews", Fixture.Prefix("/", "reviews")));
        foreach (var name in Names)
        {
            mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(name, "reviews"));
        }

        return mesh;
    }

    private static async Task<byte[]> ReadClientHelloAsync(RawConnection connection)
    {
        var header = await connection.ReadAsync(5);
        header[0].ShouldBe((byte)22);
        return await connection.ReadAsync((header[3] << 8) | header[4]);
    }

    // RFC 8446, section 4.1.2, and RFC 6066, section 3.
    private static string ServerName(byte[] hello)
    {
        var at = 4 + 2 + 32;
        at += 1 + hello[at];
        at += 2 + Number(at);
        at += 1 + hello[at];
        var end = at + 2 + Number(at);
        at += 2;
        while (at < end)
        {
            if (Number(at) == 0)
            {
                return Encoding.ASCII.GetString(hello, at + 9, Number(at + 7));
            }

            at += 4 + Number(at + 2);
        }

        return "";

        int Number(int index) => (hello[index] << 8) | hello[index + 1];
    }
}
