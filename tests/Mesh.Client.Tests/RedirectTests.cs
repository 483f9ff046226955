using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

/// <summary>What a client's primary handler does for its caller holds in the mesh too.</summary>
public class RedirectTests
{
    [Fact]
    public async Task A_redirect_is_followed_to_another_service_without_the_credentials()
    {
        await using var ratings = await WebServer.StartAsync(context
            => context.Response.WriteAsync($"{context.Request.Method} {context.Request.Host} {context.Request.Path} [{context.Request.Headers.Authorization}] {context.Request.Headers["x-mine"]}"));
        await using var reviews = await WebServer.StartAsync(context =>
        {
            context.Response.Redirect("http://ratings:9080/stars");
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", reviews.Port).Serve("ratings:9080", ratings.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { "Authorization", "Bearer secret" }, { "x-mine", "kept" } } };

        using var response = await mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("GET ratings:9080 /stars [] kept");
        response.RequestMessage!.RequestUri.ShouldBe(new Uri("http://ratings:9080/stars"));
        request.Headers.Authorization!.Parameter.ShouldBe("secret");
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_redirect_is_followed_out_of_the_mesh_by_the_primary_handler()
    {
        await using var outside = await WebServer.StartAsync(context => context.Response.WriteAsync("outside " + context.Request.Headers.Authorization));
        await using var reviews = await WebServer.StartAsync(context =>
        {
            context.Response.Redirect($"http://127.0.0.1:{outside.Port}/");
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", reviews.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { "Authorization", "Bearer secret" } } };

        using var response = await mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("outside ");
    }

    [Fact]
    public async Task A_redirect_from_outside_into_the_mesh_is_routed_and_never_asks_DNS()
    {
        await using var reviews = await WebServer.StartAsync(context => context.Response.WriteAsync("reviews"));
        await using var outside = await WebServer.StartAsync(context =>
        {
            context.Response.Redirect(context.Request.Path == "/known" ? "http://reviews:9080/" : "http://ratings.default.svc.cluster.local/");
            return Task.CompletedTask;
        });
        using var shared = new SocketsHttpHandler();
        await using var mesh = ClientMesh.Create(services => services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => shared)))
            .Serve("reviews:9080", reviews.Port);
        mesh.Xds.Remove(ListenerType.Instance, "ratings.default.svc.cluster.local:80");
        foreach (var name in new[] { "a", "b" })
        {
            using var known = await mesh.Client(name).GetAsync($"http://127.0.0.1:{outside.Port}/known").Within();
            (await known.Content.ReadAsStringAsync()).ShouldBe("reviews");
            using var unknown = await mesh.Client(name).GetAsync($"http://127.0.0.1:{outside.Port}/unknown").Within();
            unknown.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        }
    }

    [Theory]
    [InlineData(301, "POST", "GET", "")]
    [InlineData(302, "POST", "GET", "")]
    [InlineData(303, "PUT", "GET", "")]
    [InlineData(302, "PUT", "PUT", "body")]
    [InlineData(307, "POST", "POST", "body")]
    [InlineData(308, "POST", "POST", "body")]
    public async Task Methods_and_bodies_follow_as_the_primary_handler_would_have_it(int status, string method, string followed, string body)
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            var text = await new StreamReader(context.Request.Body).ReadToEndAsync();
            if (context.Request.Path == "/")
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = "/next?a=b";
            }
            else
            {
                await context.Response.WriteAsync($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {text}");
            }
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        foreach (var uri in new[] { "http://reviews:9080/", $"http://127.0.0.1:{server.Port}/" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), uri) { Content = new StringContent("body") };
            using var response = await mesh.Client().SendAsync(request).Within();

            (await response.Content.ReadAsStringAsync()).ShouldBe($"{followed} /next?a=b {body}");
        }
    }

    [Fact]
    public async Task A_relative_redirect_keeps_the_authority_by_which_the_request_was_routed()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            if (context.Request.Path == "/")
            {
                context.Response.Redirect("/next");
                return Task.CompletedTask;
            }

            return context.Response.WriteAsync(context.Request.Host.Value!);
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://gateway/") { Headers = { Host = "reviews:9080" } };

        using var response = await mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe("reviews:9080");
    }

    [Fact]
    public async Task Redirects_end_at_the_primary_handlers_limit()
    {
        var count = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            count++;
            context.Response.Redirect("/again");
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("")
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { MaxAutomaticRedirections = 3 })).Serve("reviews:9080", server.Port);

        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.Found);
        count.ShouldBe(4);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task Redirects_are_handed_out_when_the_primary_handler_does_not_follow_them()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.Redirect("/again");
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("")
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false })).Serve("reviews:9080", server.Port);

        (await mesh.Client().GetAsync("http://reviews:9080/").Within()).StatusCode.ShouldBe(HttpStatusCode.Found);
    }

    [Fact]
    public async Task Cookies_come_back_and_stay_with_their_host()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.Headers.SetCookie = "session=42; Path=/";
            return context.Response.WriteAsync($"[{context.Request.Headers.Cookie}]");
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port).Serve("ratings:9080", server.Port);
        var client = mesh.Client();

        (await client.GetStringAsync("http://reviews:9080/").Within()).ShouldBe("[]");
        (await client.GetStringAsync("http://reviews:9080/").Within()).ShouldBe("[session=42]");
        (await client.GetStringAsync("http://ratings:9080/").Within()).ShouldBe("[]");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("identity")]
    public async Task Compressed_bodies_are_read_plain_and_end_their_request(string encoding)
    {
        var plain = Encoding.ASCII.GetBytes(new string('x', 100_000));
        await using var server = await WebServer.StartAsync(async context =>
        {
            if (encoding != "identity")
            {
                context.Request.Headers.AcceptEncoding.ToString().ShouldContain(encoding);
                context.Response.Headers.ContentEncoding = encoding;
            }

            await using Stream body = encoding switch
            {
                "gzip" => new GZipStream(context.Response.Body, CompressionLevel.Fastest),
                "br" => new BrotliStream(context.Response.Body, CompressionLevel.Fastest),
                "deflate" => new ZLibStream(context.Response.Body, CompressionLevel.Fastest),
                _ => new BufferedStream(context.Response.Body),
            };
            await body.WriteAsync(plain);
        });
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("")
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All })).Serve("reviews:9080", server.Port);

        (await mesh.Client().GetByteArrayAsync("http://reviews:9080/").Within()).ShouldBe(plain);
        mesh.ActiveRequests.ShouldBe(0);
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        response.Content.Headers.ContentEncoding.ShouldBeEmpty();
        response.Content.Headers.ContentLength.ShouldBeNull();
        var stream = await response.Content.ReadAsStreamAsync();
        var read = new MemoryStream();
        await stream.CopyToAsync(read).Within();
        read.ToArray().ShouldBe(plain);
        mesh.ActiveRequests.ShouldBe(0);
        response.Dispose();

        using var synchronous = mesh.Client().Send(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"));
        using var reader = new StreamReader(synchronous.Content.ReadAsStream());
        reader.ReadToEnd().Length.ShouldBe(plain.Length);
    }
}
