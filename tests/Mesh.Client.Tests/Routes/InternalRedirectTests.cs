using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.HeaderMutation.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.InternalRedirect.AllowListedRoutes.V3;
using Envoy.Extensions.InternalRedirect.PreviousRoutes.V3;
using Envoy.Extensions.InternalRedirect.SafeCrossScheme.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;
using Microsoft.AspNetCore.Http;
using Mutation = Envoy.Config.Common.MutationRules.V3.HeaderMutation;
using Route = Envoy.Config.Route.V3.Route;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.Client.Tests.Routes;

/// <summary>Redirects of upstreams that a route follows in the caller's place.</summary>
public sealed class InternalRedirectTests : IAsyncDisposable
{
    private const string Authority = "reviews:9080";

    private readonly List<string> _seen = [];
    private ClientMesh _mesh = null!;
    private WebServer _server = null!;

    public async ValueTask DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_caller_gets_what_the_redirect_leads_to()
    {
        await ServeAsync(_ => { });

        using var response = await GetAsync("/302?to=http://reviews:9080/end%3Fa=b%23part", ("x-mine", "kept"));

        (await response.Content.ReadAsStringAsync()).ShouldBe("GET /end?a=b");
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/302");
        _seen[1].ShouldBe("GET reviews:9080 /end?a=b x-mine=kept x-envoy-original-url=http://reviews:9080/302?to=http://reviews:9080/end%3Fa=b%23part");
        (Stats.InternalRedirectsSucceeded.Value, Stats.InternalRedirectsFailed.Value).ShouldBe((1, 0));
        _mesh.ActiveRequests.ShouldBe(0);
        _mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData("/end", "a relative address")]
    [InlineData("ftp://reviews:9080/end", "another protocol")]
    [InlineData("http://user@reviews:9080/end", "user information")]
    [InlineData("http:///end", "no host")]
    public async Task An_address_that_a_request_cannot_go_to_is_the_callers(string location, string why)
    {
        await ServeAsync(_ => { });

        using var response = await GetAsync("/302?to=" + Uri.EscapeDataString(location));

        response.StatusCode.ShouldBe(HttpStatusCode.Found, why);
        response.Headers.NonValidated["Location"].ToString().ShouldBe(location);
        (Router.Redirects.BadLocation.Value, Stats.InternalRedirectsFailed.Value).ShouldBe((1, 1));
        _mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData("302", 302, false)]
    [InlineData("", 302, true)]
    [InlineData("", 301, false)]
    [InlineData("301,308", 301, true)]
    [InlineData("301,308", 308, true)]
    [InlineData("301,308", 302, false)]
    [InlineData("200", 302, false)]
    public async Task Only_the_statuses_that_are_listed_are_followed(string codes, int status, bool followed)
    {
        await ServeAsync(policy =>
        {
            policy.RedirectResponseCodes.Add(codes.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse));
            policy.MaxInternalRedirects = codes == "302" ? 0u : null;
        });

        using var response = await GetAsync($"/{status}?to=http://reviews:9080/end");

        ((int)response.StatusCode).ShouldBe(followed ? 200 : status);
    }

    [Fact]
    public async Task After_as_many_as_are_allowed_the_next_one_is_the_callers()
    {
        await ServeAsync(policy => policy.MaxInternalRedirects = 3);

        using var response = await GetAsync("/302?to=http://reviews:9080/loop");

        response.StatusCode.ShouldBe(HttpStatusCode.Found);
        _seen.Count.ShouldBe(4);
        _seen[^1].ShouldEndWith("x-envoy-original-url=http://reviews:9080/loop");
        Router.Redirects.TooManyRedirects.Value.ShouldBe(1);
        _mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [InlineData(303, "POST", "GET /end ")]
    [InlineData(303, "HEAD", "")]
    [InlineData(302, "POST", "POST /end body")]
    [InlineData(307, "PUT", "PUT /end body")]
    public async Task See_other_is_seen_by_GET_and_the_others_repeat_the_body(int status, string method, string expected)
    {
        await ServeAsync(policy => policy.RedirectResponseCodes.Add([302u, 303u, 307u]));
        foreach (var content in new HttpContent[] { new StringContent("body"), new StreamContent(new MemoryStream("body"u8.ToArray())), new OnceContent("body") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"http://{Authority}/{status}?to=http://reviews:9080/end")
            {
                Content = method == "HEAD" ? null : content,
            };

            using var response = await _mesh.Client().SendAsync(request).Within();

            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await response.Content.ReadAsStringAsync()).ShouldBe(expected.TrimEnd());
            request.Method.Method.ShouldBe(method);
            request.RequestUri!.AbsolutePath.ShouldBe($"/{status}");
            request.Headers.ShouldBeEmpty();
        }

        var seen = expected.Length == 0 ? "HEAD reviews:9080 /end" : expected.Split(' ')[0] + " reviews:9080 /end";
        _seen.Count(line => line.StartsWith(seen, StringComparison.Ordinal)).ShouldBe(3);
    }

    [Fact]
    public async Task A_body_that_was_not_kept_makes_the_redirect_the_callers()
    {
        await ServeAsync(_ => { }, action: null, route => route.RequestBodyBufferLimit = 3);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Authority}/302?to=http://reviews:9080/end") { Content = new OnceContent("body") };

        using var response = await _mesh.Invoker().SendAsync(request, CancellationToken.None).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.Found);
        Stats.InternalRedirectsFailed.Value.ShouldBe(1);
    }

    [Theory]
    [InlineData(false, false, HttpStatusCode.Found)]
    [InlineData(true, true, HttpStatusCode.Found)]
    public async Task From_http_to_https_only_where_it_is_allowed(bool allowed, bool safe, HttpStatusCode expected)
    {
        await ServeAsync(policy =>
        {
            policy.AllowCrossSchemeRedirect = allowed;
            if (safe)
            {
                policy.Predicates.Add(Predicate(new SafeCrossSchemeConfig()));
            }
        });

        using var response = await GetAsync("/302?to=https://reviews:9080/end");

        response.StatusCode.ShouldBe(expected);
        (Router.Redirects.UnsafeScheme.Value, Router.Redirects.Predicate.Value).ShouldBe(allowed ? (0, 1) : (1, 0));
    }

    [Fact]
    public async Task Only_to_the_routes_that_are_listed()
    {
        await ServeAsync(policy => policy.Predicates.Add(Predicate(new AllowListedRoutesConfig { AllowedRouteNames = { "end" } })));

        using var yes = await GetAsync("/302?to=http://reviews:9080/end");
        yes.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var no = await GetAsync("/302?to=http://reviews:9080/other");
        no.StatusCode.ShouldBe(HttpStatusCode.Found);
        Router.Redirects.Predicate.Value.ShouldBe(1);
    }

    [Fact]
    public async Task Not_twice_to_a_route()
    {
        await ServeAsync(policy =>
        {
            policy.MaxInternalRedirects = 10;
            policy.Predicates.Add(Predicate(new PreviousRoutesConfig()));
        });

        using var response = await GetAsync("/302?to=http://reviews:9080/loop");

        // From main to main once, and not again.
        response.StatusCode.ShouldBe(HttpStatusCode.Found);
        _seen.Count.ShouldBe(2);
    }

    [Fact]
    public async Task To_another_host_of_the_mesh_and_not_out_of_it()
    {
        await ServeAsync(_ => { });
        _mesh.Serve("ratings:9080", _server.Port);
        _mesh.Xds.Remove(ListenerType.Instance, "elsewhere:9080");

        using var response = await GetAsync("/302?to=http://ratings:9080/end");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _seen[^1].ShouldStartWith("GET ratings:9080 /end");
        using var alias = await GetAsync("/302?to=http://alias:9080/end");
        alias.StatusCode.ShouldBe(HttpStatusCode.OK);
        _seen[^1].ShouldStartWith("GET alias:9080 /end");

        using var outside = await GetAsync("/302?to=http://elsewhere:9080/end");
        outside.StatusCode.ShouldBe(HttpStatusCode.Found);
        using var address = await GetAsync($"/302?to=http://127.0.0.1:{_server.Port}/end");
        address.StatusCode.ShouldBe(HttpStatusCode.Found);
        Router.Redirects.NoRoute.Value.ShouldBe(2);
    }

    [Fact]
    public async Task Headers_of_the_redirect_go_along_and_what_it_has_not_goes()
    {
        await ServeAsync(policy => policy.ResponseHeadersToCopy.Add(["x-token", "x-mine"]));

        using var response = await GetAsync("/302?to=http://reviews:9080/end&token=t", ("x-mine", "gone"), ("x-token", "old"));

        _seen[1].ShouldStartWith("GET reviews:9080 /end x-token=t x-envoy-original-url=");
    }

    [Fact]
    public async Task The_address_that_was_sent_is_the_original_one_and_headers_of_the_route_stay()
    {
        await ServeAsync(_ => { }, action => action.PrefixRewrite = "/302", route =>
        {
            route.Match.Prefix = "/start";
            route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-mine", "route"));
        });

        using var response = await GetAsync("/start?to=http://reviews:9080/end");

        _seen[1].ShouldContain(" x-mine=route x-envoy-original-url=http://reviews:9080/302?to=");
    }

    [Fact]
    public async Task What_becomes_of_the_last_request_is_told_on_the_callers()
    {
        await ServeAsync(_ => { });
        _mesh.Xds.Set(RouteConfigurationType.Instance, Configuration(
            Moving(_ => { }),
            new Route { Name = "gone", Match = new RouteMatch { Prefix = "/gone" }, Route_ = new RouteAction { Cluster = "empty" } }));
        _mesh.SetCluster("empty").SetEndpoints("empty");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}/302?to=http://reviews:9080/gone");

        using var response = await _mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UH");
    }

    [Fact]
    public async Task Filters_see_each_request_and_of_the_responses_the_last()
    {
        await ServeAsync(_ => { }, isFiltered: true);

        using var response = await GetAsync("/302?to=http://reviews:9080/end");

        (await response.Content.ReadAsStringAsync()).ShouldBe("GET /end");
        response.Headers.GetValues("x-filtered").ShouldHaveSingleItem();
        _seen.ShouldAllBe(line => line.Contains("x-mine=filtered"));
        _mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public void A_predicate_that_is_not_known_is_refused()
    {
        var configuration = Configuration(Moving(policy => policy.Predicates.Add(new TypedExtensionConfig { Name = "mine", TypedConfig = Any.Pack(new Empty()) })));
        Should.Throw<Mesh.Xds.Client.ResourceRejectedException>(() => RouteConfigurationType.Instance.Decode(configuration.ToByteString(), out _))
            .Message.ShouldContain("internal_redirect_policy.predicates[0]");
    }

    private Router Router => (Router)_mesh.Engine.Upstream;

    private DataPlane.Clusters.ClusterStats Stats => _mesh.Engine.Clusters.All.Single(c => c.Cluster.Name == "a").Cluster.Stats;

    private static TypedExtensionConfig Predicate(IMessage config) => new() { Name = config.Descriptor.Name, TypedConfig = Any.Pack(config) };

    private static Route Moving(Action<InternalRedirectPolicy> policy)
        => RoutedMesh.Route(action =>
        {
            action.InternalRedirectPolicy = new InternalRedirectPolicy();
            policy(action.InternalRedirectPolicy);
        });

    private static RouteConfiguration Configuration(Route main, params Route[] more)
    {
        var configuration = DataPlane.Tests.Resources.Routes(
            "routes",
            [.. more, new Route { Name = "end", Match = new RouteMatch { Path = "/end" }, Route_ = new RouteAction { Cluster = "a" } }, main]);
        configuration.VirtualHosts[0].Domains.Clear();
        configuration.VirtualHosts[0].Domains.Add([Authority, "alias:9080"]);
        return configuration;
    }

    /// <summary>With a filter that adds a header to every request and every response.</summary>
    private static Listener FilteredListener()
    {
        var listener = DataPlane.Tests.Resources.Listener(Authority, "routes");
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        var filter = new HeaderMutation
        {
            Mutations = new Mutations
            {
                RequestMutations = { new Mutation { Append = RoutedMesh.Header("x-mine", "filtered", HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd) } },
                ResponseMutations = { new Mutation { Append = RoutedMesh.Header("x-filtered", "yes") } },
            },
        };
        manager.HttpFilters.Insert(0, new HttpFilter { Name = "envoy.filters.http.header_mutation", TypedConfig = Any.Pack(filter) });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        return listener;
    }

    private async Task ServeAsync(Action<InternalRedirectPolicy> policy, Action<RouteAction>? action = null, Action<Route>? route = null, bool isFiltered = false)
    {
        _server = await WebServer.StartAsync(async context =>
        {
            var request = context.Request;
            var line = $"{request.Method} {request.Host} {request.Path}{request.QueryString}";
            foreach (var name in new[] { "x-mine", "x-token", "x-envoy-original-url" })
            {
                line += request.Headers.TryGetValue(name, out var values) ? $" {name}={values}" : "";
            }

            lock (_seen)
            {
                _seen.Add(line);
            }

            var body = await new StreamReader(request.Body).ReadToEndAsync();
            if (int.TryParse(request.Path.Value![1..], out var status) || request.Path == "/loop")
            {
                context.Response.StatusCode = status == 0 ? 302 : status;
                context.Response.Headers.Location = status == 0 ? "http://reviews:9080/loop" : request.Query["to"];
                if (request.Query.TryGetValue("token", out var token))
                {
                    context.Response.Headers["x-token"] = token;
                }

                await context.Response.WriteAsync(new string('.', 100));
                return;
            }

            await context.Response.WriteAsync($"{request.Method} {request.Path}{request.QueryString} {body}".TrimEnd());
        });
        _mesh = ClientMesh.Create(services =>
        {
            // The door would follow what the mesh hands out.
            Microsoft.Extensions.DependencyInjection.HttpClientFactoryServiceCollectionExtensions.ConfigureHttpClientDefaults(
                services,
                builder => Microsoft.Extensions.DependencyInjection.HttpClientBuilderExtensions.ConfigurePrimaryHttpMessageHandler(
                    builder, () => new SocketsHttpHandler { AllowAutoRedirect = false }));
        });
        var main = Moving(policy);
        action?.Invoke(main.Route_);
        route?.Invoke(main);
        _mesh.Xds.Set(ListenerType.Instance, isFiltered ? FilteredListener() : DataPlane.Tests.Resources.Listener(Authority, "routes"));
        _mesh.Xds.Set(RouteConfigurationType.Instance, Configuration(main));
        _mesh.SetCluster("a").SetEndpoints("a", _server.Port);
    }

    private Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{Authority}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _mesh.Client().SendAsync(request).Within();
    }

    /// <summary>Text that can be written once.</summary>
    private sealed class OnceContent(string text) : HttpContent
    {
        private bool _written;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (_written)
            {
                throw new InvalidOperationException("written before");
            }

            _written = true;
            return stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
