using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;
using Route = Envoy.Config.Route.V3.Route;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.Client.Tests.Hostile;

/// <summary>Every policy at once, over routes that change each moment: nothing of one request may show in another.</summary>
public class MixedPolicyStormTests
{
    private const string Authority = "reviews:9080";

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Each_response_answers_its_own_request(bool http2, bool filtered)
    {
        var tries = new ConcurrentDictionary<string, int>();
        var protocols = http2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                var id = context.Request.Headers["x-id"].ToString();
                var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
                if (context.Request.Path.StartsWithSegments("/redirect"))
                {
                    context.Response.StatusCode = 307;
                    context.Response.Headers.Location = $"http://{Authority}/retry/moved";
                    return;
                }

                if (context.Request.Headers.TryGetValue("x-fail", out var fail) && tries.AddOrUpdate(id, 1, (_, n) => n + 1) <= int.Parse(fail!))
                {
                    context.Response.StatusCode = 503;
                    await context.Response.WriteAsync("not yet");
                    return;
                }

                context.Response.Headers["x-id"] = id;
                await context.Response.WriteAsync($"{id}:{body}");
            },
            protocols);
        await using var shadow = await WebServer.StartAsync(context => context.Request.Body.CopyToAsync(Stream.Null), protocols);
        await using var mesh = ClientMesh.Create(services => services.AddMeshFilter<Echoed>(Echoed.Url));
        Echoed.Wrong.Clear();
        var listener = Fixture.Listener(Authority, Authority);
        if (filtered)
        {
            var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
            manager.HttpFilters.Insert(0, new HttpFilter { Name = "echoed", TypedConfig = new Any { TypeUrl = Echoed.Url } });
            listener.ApiListener.ApiListener_ = Any.Pack(manager);
        }

        mesh.Xds.Set(mesh.Engine.Filters.Listeners, listener);
        foreach (var name in new[] { "v1", "v2", "shadow" })
        {
            var cluster = Fixture.Cluster(name).WithoutLimits();
            mesh.Use(http2 ? ClientMesh.Http2(cluster) : cluster).SetEndpoints(name, name == "shadow" ? [shadow.Port] : [server.Port, server.Port]);
        }

        mesh.Xds.Set(RouteConfigurationType.Instance, Routes("v1"));
        var states = new ConcurrentDictionary<EndpointState, bool>();
        var wrong = new ConcurrentBag<string>();
        using var over = new CancellationTokenSource();
        var flips = 0;
        var flipping = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                mesh.Xds.Set(RouteConfigurationType.Instance, Routes(++flips % 2 == 0 ? "v1" : "v2"));
                foreach (var state in mesh.Endpoints)
                {
                    states.TryAdd(state, true);
                }

                await Task.Delay(1);
            }
        });
        string[] paths = ["/retry/", "/hedge/", "/redirect/", "/mirror/", "/plain/"];
        var invoker = mesh.Invoker();
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var path = paths[i % paths.Length];
            var id = $"id-{i}";
            using var request = new HttpRequestMessage(i % 2 == 0 ? HttpMethod.Get : HttpMethod.Post, $"http://{Authority}{path}{i}");
            var uri = request.RequestUri;
            request.Headers.Add("x-id", id);
            var content = i % 2 == 0 ? null : new StringContent($"body {i}");
            request.Content = content;
            if (path != "/plain/" && i % 3 == 0)
            {
                request.Headers.Add("x-fail", (i % 4 / 2 + 1).ToString());
            }

            try
            {
                using var response = await invoker.SendAsync(request, CancellationToken.None).Within();
                var text = await response.Content.ReadAsStringAsync().Within();
                var echoed = response.Headers.NonValidated.TryGetValues("x-id", out var values) ? values.ToString() : null;
                var expected = $"{id}:{(i % 2 == 0 ? "" : $"body {i}")}";
                if (response.StatusCode != HttpStatusCode.OK || text != expected || echoed != id || !ReferenceEquals(response.RequestMessage, request))
                {
                    request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
                    wrong.Add($"{path}{i}: {(int)response.StatusCode} {flags} {echoed} {text}");
                }
            }
            catch (Exception e)
            {
                wrong.Add($"{path}{i}: {e}");
            }

            if (request.RequestUri != uri || request.Content != content || request.Headers.NonValidated["x-id"].ToString() != id || request.Headers.NonValidated.Count > 2)
            {
                wrong.Add($"{path}{i}: the message was not given back: {request}");
            }
        });
        (await Hang.Until(() => Volatile.Read(ref flips) > 10)).ShouldBeTrue();
        await over.CancelAsync();
        await flipping.Within();
        await Hang.Until(() => states.Keys.All(s => s.ActiveRequests == 0) && mesh.Permits == 0);
        wrong.Take(10).ShouldBeEmpty($"{wrong.Count} after {flips} flips");
        Echoed.Wrong.ShouldBeEmpty();
        states.Keys.ShouldAllBe(s => s.ActiveRequests == 0);
        mesh.Permits.ShouldBe(0);
    }

    private static RouteConfiguration Routes(string cluster)
    {
        return Fixture.Routes(
            Authority,
            Rule("/hedge/", r => r.HedgePolicy = new HedgePolicy { HedgeOnPerTryTimeout = true }),
            Rule("/redirect/", r => r.InternalRedirectPolicy = new InternalRedirectPolicy { MaxInternalRedirects = 2, RedirectResponseCodes = { 307 } }),
            Rule("/mirror/", r => r.RequestMirrorPolicies.Add(new RouteAction.Types.RequestMirrorPolicy { Cluster = "shadow" })),
            Rule("/plain/", r => r.RetryPolicy = null),
            Rule("/", _ => { }));

        Route Rule(string prefix, Action<RouteAction> change)
        {
            var action = new RouteAction
            {
                Cluster = cluster,
                Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
                RetryPolicy = RouteRules.Retry("5xx,reset", 3),
                PrefixRewrite = prefix,
            };
            action.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20));
            change(action);
            return new Route
            {
                Name = prefix,
                Match = new RouteMatch { Prefix = prefix },
                Route_ = action,
                RequestHeadersToAdd = { new HeaderValueOption { Header = new HeaderValue { Key = "x-added", Value = "%REQ(x-id)%" } } },
            };
        }
    }

    /// <summary>Sees to it that a request meets its own response, in every way in which it is shown.</summary>
    private sealed class Echoed : Mesh.Filters.HttpFilter
    {
        public const string Url = "type.googleapis.com/test.Echoed";

        public static ConcurrentBag<string> Wrong { get; } = [];

        public override async ValueTask OnRequestAsync(Mesh.Filters.HttpExchange exchange, CancellationToken cancellationToken)
        {
            exchange.State = exchange.RequestHeaders["x-id"];
            await Task.Yield();
            Check(exchange, "request");
        }

        public override async ValueTask OnResponseAsync(Mesh.Filters.HttpExchange exchange, CancellationToken cancellationToken)
        {
            Check(exchange, "response");
            await Task.Yield();
            if (exchange.ResponseHeaders["x-id"] is { } id && id != (string?)exchange.State)
            {
                Wrong.Add($"{exchange.State} was answered as {id}");
            }
        }

        public override void OnEnd(Mesh.Filters.HttpExchange exchange) => Check(exchange, "end");

        private static void Check(Mesh.Filters.HttpExchange exchange, string when)
        {
            if (exchange.RequestHeaders["x-id"] is var id && id != (string?)exchange.State)
            {
                Wrong.Add($"{when}: {exchange.State} is shown as {id}");
            }
        }
    }
}
