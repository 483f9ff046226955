using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Type.V3;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RouteMatch = Envoy.Config.Route.V3.RouteMatch;

namespace Mesh.Client.Tests;

/// <summary>Routes as Envoy has them beside what Istio writes, through a real client to real servers "a" and "b".</summary>
public class RouteTests : IAsyncLifetime
{
    private const string Authority = "reviews:9080";

    private ClientMesh _mesh = null!;
    private WebServer _a = null!;
    private WebServer _b = null!;

    public async Task InitializeAsync()
    {
        _a = await WebServer.StartAsync(context => context.Response.WriteAsync("a"));
        _b = await WebServer.StartAsync(context => context.Response.WriteAsync("b"));
        _mesh = ClientMesh.Create(services => services.AddSingleton<IRandomSource>(new SequenceRandomSource(100)));
        _mesh.Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(Authority, "routes"));
        _mesh.SetCluster("a").SetEndpoints("a", _a.Port);
        _mesh.SetCluster("b").SetEndpoints("b", _b.Port);
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task A_header_may_name_the_cluster()
    {
        Routes(new Route { Match = new RouteMatch { Prefix = "/" }, Route_ = new RouteAction { ClusterHeader = "x-cluster" } });

        (await AnswerAsync("/", ("x-cluster", "a"))).ShouldBe("a");
        (await AnswerAsync("/", ("x-cluster", "b"))).ShouldBe("b");
        _mesh.Xds.Remove(ClusterType.Instance, "nobody");
        (await AnswerAsync("/", ("x-cluster", "nobody"))).ShouldBe("503 NC");
        (await AnswerAsync("/")).ShouldBe("503 NC");
    }

    [Fact]
    public async Task What_answers_for_a_missing_cluster_is_the_routes_to_say()
    {
        _mesh.Xds.Remove(ClusterType.Instance, "gone");
        var route = DataPlane.Tests.Resources.Prefix("/", "gone");
        route.Route_.ClusterNotFoundResponseCode = RouteAction.Types.ClusterNotFoundResponseCode.NotFound;
        Routes(route);
        (await AnswerAsync("/")).ShouldBe("404 NC");
    }

    [Fact]
    public async Task A_runtime_fraction_takes_exactly_its_share_of_evenly_spread_draws()
    {
        var some = DataPlane.Tests.Resources.Prefix("/", "b");
        some.Match.RuntimeFraction = new RuntimeFractionalPercent { DefaultValue = new FractionalPercent { Numerator = 30 } };
        Routes(some, DataPlane.Tests.Resources.Prefix("/", "a"));

        var answers = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            answers.Add(await AnswerAsync("/"));
        }

        answers.Count(answer => answer == "b").ShouldBe(30);
    }

    [Theory]
    [InlineData("/api", "b")]
    [InlineData("/api/v1", "b")]
    [InlineData("/api?x=1", "b")]
    [InlineData("/apis", "a")]
    public async Task A_path_separated_prefix_ends_at_a_slash(string path, string expected)
    {
        Routes(
            new Route { Match = new RouteMatch { PathSeparatedPrefix = "/api" }, Route_ = new RouteAction { Cluster = "b" } },
            DataPlane.Tests.Resources.Prefix("/", "a"));
        (await AnswerAsync(path)).ShouldBe(expected);
    }

    [Fact]
    public async Task A_direct_response_needs_no_upstream()
    {
        Routes(new Route
        {
            Match = new RouteMatch { Prefix = "/" },
            DirectResponse = new DirectResponseAction { Status = 418, Body = new DataSource { InlineString = "short and stout" } },
        });
        using var response = await _mesh.Client().GetAsync($"http://{Authority}/").Within();
        response.StatusCode.ShouldBe((HttpStatusCode)418);
        (await response.Content.ReadAsStringAsync()).ShouldBe("short and stout");
    }

    [Fact]
    public async Task An_action_that_is_not_done_says_so_instead_of_doing_something_else()
    {
        Routes(new Route { Match = new RouteMatch { Prefix = "/" }, FilterAction = new FilterAction() });
        using var response = await _mesh.Client().GetAsync($"http://{Authority}/").Within();
        response.StatusCode.ShouldBe(HttpStatusCode.NotImplemented);
        (await response.Content.ReadAsStringAsync()).ShouldContain("filter_action");
    }

    [Fact]
    public async Task Only_gRPC_requests_match_a_route_for_gRPC()
    {
        Routes(
            new Route { Match = new RouteMatch { Prefix = "/", Grpc = new RouteMatch.Types.GrpcRouteMatchOptions() }, Route_ = new RouteAction { Cluster = "b" } },
            DataPlane.Tests.Resources.Prefix("/", "a"));

        foreach (var (type, expected) in new[] { ("application/grpc", "b"), ("application/grpc+proto", "b"), ("application/grpc-web", "a"), ("application/json", "a") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Authority}/") { Content = new ByteArrayContent([]) };
            request.Content.Headers.TryAddWithoutValidation("content-type", type);
            using var response = await _mesh.Client().SendAsync(request).Within();
            (await response.Content.ReadAsStringAsync()).ShouldBe(expected, type);
        }
    }

    private void Routes(params Route[] routes) => _mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("routes", routes));

    private async Task<string> AnswerAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Authority}{path}");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var response = await _mesh.Client().SendAsync(request).Within();
        return request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags)
            ? $"{(int)response.StatusCode} {flags}"
            : await response.Content.ReadAsStringAsync();
    }
}
