using System.Net;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Polly;
using Polly.Retry;

namespace Mesh.Client.Tests;

public class HandlerPlacementTests
{
    [Theory]
    [InlineData("before the mesh")]
    [InlineData("after the mesh")]
    [InlineData("by the defaults of all clients")]
    [InlineData("by a filter before the mesh")]
    [InlineData("by a filter after the mesh")]
    public async Task A_handler_of_the_application_runs_exactly_once(string registered)
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync(context.Request.Headers.Authorization.ToString()));
        var xds = new ClientMeshServices();
        if (registered == "before the mesh")
        {
            xds.Services.AddHttpClient("reviews").AddHttpMessageHandler(() => new TokenHandler());
        }
        else if (registered == "by a filter before the mesh")
        {
            xds.Services.AddHttpClient();
            xds.Services.AddSingleton<IHttpMessageHandlerBuilderFilter, TokenFilter>();
        }

        xds.Services.AddMeshClient();
        if (registered == "after the mesh")
        {
            xds.Services.AddHttpClient("reviews").AddHttpMessageHandler(() => new TokenHandler());
        }
        else if (registered == "by the defaults of all clients")
        {
            xds.Services.ConfigureHttpClientDefaults(b => b.AddHttpMessageHandler(() => new TokenHandler()));
        }
        else if (registered == "by a filter after the mesh")
        {
            xds.Services.AddSingleton<IHttpMessageHandlerBuilderFilter, TokenFilter>();
        }

        await using var mesh = xds.Build().Serve("reviews:9080", server.Port);

        (await mesh.Client("reviews").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("token");
        (await mesh.Client("reviews").GetStringAsync($"http://127.0.0.1:{server.Port}/").Within()).ShouldBe("token");
    }

    [Fact]
    public async Task Switching_the_mesh_on_twice_puts_one_handler_into_a_client()
    {
        await using var mesh = ClientMesh.Create(services =>
        {
            services.AddMeshClient();
            services.AddHttpClient("reviews").AddMesh().AddMesh();
        });

        var count = 0;
        for (var handler = mesh.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("reviews"); handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
        {
            count += handler is MeshHandler ? 1 : 0;
        }

        count.ShouldBe(1);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("mesh.control-plane")]
    public async Task Clients_outside_the_mesh_use_their_primary_handler_alone(string name)
    {
        await using var mesh = ClientMesh.Create(services =>
        {
            services.AddHttpClient("raw").RemoveMesh();
            services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => new Stub()));
        }).Serve("reviews:9080", 1);

        (await mesh.Client(name).GetStringAsync("http://reviews:9080/").Within()).ShouldBe("stub");
        mesh.Xds.Watched.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_single_client_joins_when_the_others_do_not()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = ClientMesh.Create(
            services =>
            {
                services.AddHttpClient("in").AddMesh();
                services.ConfigureHttpClientDefaults(b => b.ConfigurePrimaryHttpMessageHandler(() => new Stub()));
            },
            options => options.Client.AllClients = false).Serve("reviews:9080", server.Port);

        (await mesh.Client("in").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        (await mesh.Client("out").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("stub");
    }

    [Fact]
    public async Task The_primary_handler_of_the_application_stays_the_way_out_and_what_it_cannot_do_for_the_mesh_is_said_once()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = ClientMesh.Create(services =>
        {
            services.AddHttpClient("stubbed").ConfigurePrimaryHttpMessageHandler(() => new Stub()).SetHandlerLifetime(TimeSpan.FromSeconds(1));
            services.AddHttpClient("proxied").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                Proxy = new WebProxy("http://proxy:8080"),
                Credentials = new NetworkCredential("u", "p"),
            });
        }).Serve("reviews:9080", server.Port);
        mesh.Xds.Remove(ListenerType.Instance, "example.com:80");

        (await mesh.Client("stubbed").GetStringAsync("http://example.com/").Within()).ShouldBe("stub");
        (await mesh.Client("stubbed").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        (await mesh.Client("proxied").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        mesh.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("stubbed").Dispose();

        mesh.Logs.Lines.ShouldContain(l => l.Contains("'stubbed'") && l.Contains(nameof(Stub)), 1);
        mesh.Logs.Lines.ShouldContain(l => l.Contains("'proxied'") && l.Contains("Proxy, Credentials"), 1);
    }

    [Fact]
    public async Task Sending_synchronously_works_in_the_mesh_and_outside()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        foreach (var uri in new[] { "http://reviews:9080/", $"http://127.0.0.1:{server.Port}/", $"http://localhost:{server.Port}/" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            using var response = mesh.Client().Send(request, HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(response.Content.ReadAsStream());
            reader.ReadToEnd().ShouldBe("hello");
        }

        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_typed_client_and_a_keyed_client_are_in_the_mesh()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = ClientMesh.Create(services =>
        {
            services.AddHttpClient<Typed>(c => c.BaseAddress = new Uri("http://reviews:9080"));
            services.AddHttpClient("keyed").AddAsKeyed();
        }).Serve("reviews:9080", server.Port);
        await using var scope = mesh.Services.CreateAsyncScope();

        (await scope.ServiceProvider.GetRequiredService<Typed>().Http.GetStringAsync("/").Within()).ShouldBe("mesh");
        (await scope.ServiceProvider.GetRequiredKeyedService<HttpClient>("keyed").GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
    }

    [Fact]
    public async Task Handlers_that_come_and_go_leave_endpoints_and_connections_in_place()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("mesh"));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        foreach (var name in new[] { "a", "b", "c" })
        {
            (await mesh.Client(name).GetStringAsync("http://reviews:9080/").Within()).ShouldBe("mesh");
        }

        server.Connections.ShouldBe(1);
        mesh.Endpoints.Count().ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_message_of_the_caller_is_as_it_was(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            async context => await context.Request.Body.CopyToAsync(Stream.Null),
            http2 ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        var cookies = new CookieContainer();
        cookies.Add(new Cookie("session", "1", "/", "reviews"));
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            CookieContainer = cookies,
            AutomaticDecompression = DecompressionMethods.All,
        })).Serve("reviews:9080", server.Port, http2);
        (await mesh.Invoker().SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"), default).Within()).Dispose();
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/a%2Fb?q=%41#fragment")
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = new ScriptedContent(stream => stream.WriteAsync(new byte[10]).AsTask()),
        };
        request.Headers.Add("x-mine", "1");
        request.Options.Set(new HttpRequestOptionsKey<int>("mine"), 7);
        var (uri, content, headers) = (request.RequestUri, request.Content, request.Headers.ToString());

        for (var i = 0; i < 2; i++)
        {
            using var response = await mesh.Invoker().SendAsync(request, default).Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            request.RequestUri.ShouldBeSameAs(uri);
            request.Content.ShouldBeSameAs(content);
            request.Headers.ToString().ShouldBe(headers);
            request.Version.ShouldBe(HttpVersion.Version11);
            request.VersionPolicy.ShouldBe(HttpVersionPolicy.RequestVersionOrLower);
            request.Options.Select(o => o.Key).Order().ShouldBe(["mine"]);
        }
    }

    [Fact]
    public async Task An_outer_retry_sees_final_outcomes_and_sends_every_header_once()
    {
        var requests = new List<string>();
        await using var server = await WebServer.StartAsync(context =>
        {
            requests.Add($"{context.Request.Headers["x-mine"].Count} {context.Request.Headers.Cookie.Count} {context.Request.Headers.AcceptEncoding.Count}");
            context.Response.StatusCode = requests.Count < 3 ? 503 : 200;
            return Task.CompletedTask;
        });
        var cookies = new CookieContainer();
        cookies.Add(new Cookie("session", "1", "/", "reviews"));
        var retry = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = a => ValueTask.FromResult(a.Outcome.Result?.StatusCode == HttpStatusCode.ServiceUnavailable),
                Delay = TimeSpan.Zero,
            })
            .Build();
        await using var mesh = ClientMesh.Create(services => services.AddHttpClient("")
            .AddHttpMessageHandler(() => new RetryHandler(retry))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { CookieContainer = cookies, AutomaticDecompression = DecompressionMethods.GZip }))
            .Serve("reviews:9080", server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { "x-mine", "1" } } };

        (await mesh.Client().SendAsync(request).Within()).StatusCode.ShouldBe(HttpStatusCode.OK);

        requests.ShouldBe(["1 1 1", "1 1 1", "1 1 1"]);
    }

    private sealed class TokenHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "token");
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class TokenFilter : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next)
            => builder =>
            {
                next(builder);
                builder.AdditionalHandlers.Add(new TokenHandler());
            };
    }

    private sealed class RetryHandler(ResiliencePipeline<HttpResponseMessage> pipeline) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => pipeline.ExecuteAsync(async token => await base.SendAsync(request, token), cancellationToken).AsTask();
    }

    private sealed class Stub : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => Task.FromResult(new HttpResponseMessage { Content = new StringContent("stub"), RequestMessage = request });
    }

    private sealed class Typed(HttpClient http)
    {
        public HttpClient Http { get; } = http;
    }
}
