using System.Collections.Concurrent;
using System.Net;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

/// <summary>Endings that meet, contexts that block, applications that end.</summary>
public class RaceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reading_cancelling_and_disposing_at_once_end_each_request_once(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                for (var i = 0; i < 20; i++)
                {
                    await context.Response.Body.WriteAsync(new byte[5000], context.RequestAborted);
                }
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        var endpoints = new ConcurrentDictionary<EndpointState, bool>();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var cancellation = new CancellationTokenSource();
            var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
            foreach (var endpoint in mesh.Endpoints)
            {
                endpoints.TryAdd(endpoint, true);
            }

            var stream = await response.Content.ReadAsStreamAsync();
            var reading = Task.Run(() => stream.CopyToAsync(Stream.Null, cancellation.Token));
            var ending = Task.Run(() =>
            {
                // Streams of HTTP/1.1 are not to be disposed while they are read: SocketsHttpHandler would drain and read one buffer at once.
                switch (i % 4)
                {
                    case 0 when http2:
                        response.Dispose();
                        break;
                    case 2 when http2:
                        stream.Dispose();
                        break;
                    case 0 or 1 or 2:
                        cancellation.Cancel();
                        break;
                    default:
                        // The pool goes while its last responses are read.
                        mesh.SetEndpoints("reviews:9080").SetEndpoints("reviews:9080", server.Port);
                        break;
                }
            });
            await Task.WhenAll(Record.ExceptionAsync(() => reading), ending).Within();
            response.Dispose();
        });

        endpoints.Keys.ShouldAllBe(e => e.ActiveRequests == 0);
        (await mesh.Client().GetByteArrayAsync("http://reviews:9080/").Within()).Length.ShouldBe(100_000);
    }

    [Fact]
    public async Task Sending_synchronously_needs_nothing_from_the_context_it_blocks()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create();
        var thread = new TaskCompletionSource<string>();
        new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new Blocked());
            try
            {
                using var response = mesh.Client().Send(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), HttpCompletionOption.ResponseHeadersRead);
                using var reader = new StreamReader(response.Content.ReadAsStream());
                thread.SetResult(reader.ReadToEnd());
            }
            catch (Exception e)
            {
                thread.SetException(e);
            }
        })
        { IsBackground = true }.Start();
        SpinWait.SpinUntil(() => mesh.Xds.Watched.Count > 0, Hang.Guard).ShouldBeTrue();
        mesh.Serve("reviews:9080", server.Port);

        (await thread.Task.Within()).ShouldBe("hello");
    }

    [Fact]
    public async Task Responses_may_be_read_after_the_application_has_ended()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync(new string('x', 200_000)));
        var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        var endpoint = mesh.Endpoints.Single();

        await mesh.DisposeAsync();

        (await response.Content.ReadAsStringAsync().Within()).Length.ShouldBe(200_000);
        endpoint.ActiveRequests.ShouldBe(0);
        endpoint.TryAcquire().ShouldBeFalse();
    }

    [Fact]
    public async Task Requests_under_way_while_the_application_ends_get_an_answer()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var invoker = mesh.Invoker();
        var done = 0;
        var disposed = new TaskCompletionSource();
        var unexpected = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            if (Interlocked.Increment(ref done) == 500)
            {
                await mesh.Engine.DisposeAsync();
                disposed.SetResult();
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
            using var response = await invoker.SendAsync(request, token).Within();
            if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable))
            {
                unexpected.Add(response.ToString());
            }
        });

        await disposed.Task.Within();
        unexpected.ShouldBeEmpty();
        await mesh.DisposeAsync();
    }

    [Fact]
    public async Task Headers_of_the_content_arrive_as_they_were_sent()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain;;broken\r\nContent-Language: en\r\nContent-Language: de\r\nExpires: -1\r\n"
                + "Last-Modified: yesterday\r\nAllow: GET\r\nContent-Location: /x\r\nContent-MD5: x\r\nContent-Range: bytes 0-1/2\r\nX-Other: 1\r\n\r\nok");
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();

        response.Content.Headers.NonValidated.Select(h => $"{h.Key}={h.Value}").Order().ShouldBe(
        [
            "Allow=GET", "Content-Language=en, de", "Content-Length=2", "Content-Location=/x", "Content-MD5=x", "Content-Range=bytes 0-1/2",
            "Content-Type=text/plain;;broken", "Expires=-1", "Last-Modified=yesterday",
        ]);
        response.Content.Headers.ContentLength.ShouldBe(2);
        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("ok");
    }

    [Fact]
    public async Task Endpoints_on_Unix_sockets_are_reached()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
        listener.Listen();
        try
        {
            await using var mesh = ClientMesh.Create().Serve("reviews:9080", 1);
            var endpoints = DataPlane.Tests.Resources.Endpoints("reviews:9080", 1);
            endpoints.Endpoints[0].LbEndpoints[0].Endpoint.Address = new Envoy.Config.Core.V3.Address { Pipe = new Envoy.Config.Core.V3.Pipe { Path = path } };
            mesh.Xds.Set(EndpointsType.Instance, endpoints);
            var sending = mesh.Client().GetAsync("http://reviews:9080/");
            using var connection = new RawConnection(await listener.AcceptAsync().Within());
            (await connection.ReadHeadAsync().Within())!.ShouldStartWith("GET / HTTP/1.1\r\nHost: reviews:9080\r\n");
            await connection.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");

            (await sending.Within()).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Defaults_of_all_clients_may_leave_the_mesh_and_one_client_return()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = ClientMesh.Create(services =>
        {
            services.ConfigureHttpClientDefaults(b => b.RemoveMesh());
            services.AddHttpClient("in").AddMesh();
        }).Serve("reviews:9080", server.Port);

        (await mesh.Client("in").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        (await mesh.Client("out").GetStringAsync($"http://127.0.0.1:{server.Port}/").Within()).ShouldBe("mesh");
        HasMesh("in").ShouldBeTrue();
        HasMesh("out").ShouldBeFalse();

        bool HasMesh(string name)
        {
            for (HttpMessageHandler? h = mesh.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name); h is not null; h = (h as DelegatingHandler)?.InnerHandler)
            {
                if (h is MeshHandler)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class Blocked : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
            // The thread is busy for good.
        }
    }
}
