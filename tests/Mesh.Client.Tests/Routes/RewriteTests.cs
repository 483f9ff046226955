using System.Net;
using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;

namespace Mesh.Client.Tests.Routes;

/// <summary>Rewritten paths and hosts, as the bytes on the wire show them.</summary>
public class RewriteTests
{
    // Envoy replaces the text that matched and thinks nothing of slashes.
    [Theory]
    [InlineData("/api", "/", "/api/v1", "//v1")]
    [InlineData("/api/", "/", "/api/v1", "/v1")]
    [InlineData("/api", "/v2", "/api?x=1", "/v2?x=1")]
    [InlineData("/api", "/v2", "/apis/1", "/v2s/1")]
    [InlineData("/", "/v2/", "/a/b?c=/api", "/v2/a/b?c=/api")]
    [InlineData("/", "/v2", "/a", "/v2a")]
    [InlineData("/a%2Fb", "/x", "/a%2Fb/%20?q=%2F", "/x/%20?q=%2F")]
    [InlineData("/api", "/über", "/api/1", "/%C3%BCber/1")]
    public async Task A_prefix_gives_way_to_another(string prefix, string rewrite, string path, string expected)
        => (await TargetAsync(RoutedMesh.Route(a => a.PrefixRewrite = rewrite, prefix), path)).ShouldBe(expected);

    [Fact]
    public async Task An_exact_path_a_separated_prefix_and_a_whole_expression_are_replaced()
    {
        (await TargetAsync(With(new RouteMatch { Path = "/old" }, "/new"), "/old?x=1")).ShouldBe("/new?x=1");
        (await TargetAsync(With(new RouteMatch { PathSeparatedPrefix = "/old" }, "/new"), "/old/1?x=1")).ShouldBe("/new/1?x=1");
        (await TargetAsync(With(new RouteMatch { SafeRegex = new RegexMatcher { Regex = "/o.*" } }, "/new"), "/old/1?x=1")).ShouldBe("/new?x=1");
        (await TargetAsync(With(new RouteMatch { Prefix = "/OLD", CaseSensitive = false }, "/new"), "/old/1")).ShouldBe("/new/1");
    }

    [Theory]
    [InlineData("/service/([^/]+)(/.*)", @"\2/instance/\1", "/service/foo/v1/api?x=/service/a/b", "/v1/api/instance/foo?x=/service/a/b")]
    [InlineData("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz")]
    [InlineData("^(.*?)one(.*)$", @"\1two\2", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/one/zzz")]
    [InlineData("(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb")]
    [InlineData("no match", "/", "/stays", "/stays")]
    [InlineData(".*", "", "/stays", "/stays")]
    public async Task An_expression_rewrites_the_path_and_leaves_the_query(string pattern, string substitution, string path, string expected)
        => (await TargetAsync(RoutedMesh.Route(a => a.RegexRewrite = Regex(pattern, substitution)), path)).ShouldBe(expected);

    [Fact]
    public async Task A_path_is_rendered()
        => (await TargetAsync(RoutedMesh.Route(a => a.PathRewrite = "/%REQ(x-tenant)%%REQ_WITHOUT_QUERY(:PATH)%"), "/stars?x=1", ("x-tenant", "acme"))).ShouldBe("/acme/stars?x=1");

    [Fact]
    public async Task What_was_replaced_is_told_and_a_caller_cannot_tell_otherwise()
    {
        await using var mesh = RoutedMesh.Create().Routes(RoutedMesh.Route(a =>
        {
            a.PrefixRewrite = "/b";
            a.HostRewriteLiteral = "b:81";
        }, "/a"));
        (await mesh.GetAsync("/a?x=1", ("x-envoy-original-path", "/lie"), ("x-envoy-original-host", "lie"))).Dispose();
        mesh.Server.Header("x-envoy-original-path").ShouldBe(["/a?x=1"]);
        mesh.Server.Header("x-envoy-original-host").ShouldBe([RoutedMesh.Authority]);
        mesh.Server.Header("host").ShouldBe(["b:81"]);
        mesh.Server.Header("x-forwarded-host").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_comes_from_a_header_that_the_route_itself_may_have_set()
    {
        var route = RoutedMesh.Route(a => a.HostRewriteHeader = "x-host");
        route.RequestHeadersToAdd.Add(RoutedMesh.Header("x-host", "%REQ(x-tenant)%.example"));
        (await HostAsync(route, "/", ("x-tenant", "acme"))).ShouldBe("acme.example");
        (await HostAsync(RoutedMesh.Route(a => a.HostRewriteHeader = "x-host"), "/")).ShouldBe(RoutedMesh.Authority);
    }

    [Fact]
    public async Task A_host_comes_from_the_path_before_that_is_rewritten()
        => (await HostAsync(
            RoutedMesh.Route(a =>
            {
                a.HostRewritePathRegex = Regex("^/([^/]+)/.+$", @"\1");
                a.PrefixRewrite = "/elsewhere";
            }),
            "/envoyproxy.io/some/path?q=/a/b")).ShouldBe("envoyproxy.io");

    [Fact]
    public async Task A_host_is_rendered()
        => (await HostAsync(RoutedMesh.Route(a => a.HostRewrite = "%REQ(x-tenant)%.svc"), "/", ("x-tenant", "acme"))).ShouldBe("acme.svc");

    [Fact]
    public async Task A_weighted_cluster_has_a_host_of_its_own_which_the_routes_replaces()
    {
        var route = RoutedMesh.Route();
        route.Route_.WeightedClusters = new WeightedCluster
        {
            Clusters = { new WeightedCluster.Types.ClusterWeight { Name = "a", Weight = 1, HostRewriteLiteral = "weighted" } },
        };
        (await HostAsync(route, "/")).ShouldBe("weighted");
        route.Route_.HostRewriteLiteral = "route";
        (await HostAsync(route, "/")).ShouldBe("route");
    }

    [Theory]
    [InlineData("", "reviews:9080")]
    [InlineData("first", "first,reviews:9080")]
    [InlineData("first, reviews:9080", "first, reviews:9080")]
    public async Task The_replaced_host_is_appended_to_those_before(string there, string expected)
    {
        await using var mesh = RoutedMesh.Create().Routes(RoutedMesh.Route(a =>
        {
            a.HostRewriteLiteral = "elsewhere";
            a.AppendXForwardedHost = true;
        }));
        (await (there.Length > 0 ? mesh.GetAsync("/", ("x-forwarded-host", there)) : mesh.GetAsync())).Dispose();
        mesh.Server.Header("x-forwarded-host").ShouldBe([expected]);
    }

    [Fact]
    public async Task The_endpoints_own_name_becomes_the_host()
    {
        await using var mesh = RoutedMesh.Create().Routes(RoutedMesh.Route(a => a.AutoHostRewrite = true));
        (await mesh.GetAsync()).Dispose();
        mesh.Server.Header("host").ShouldBe([RoutedMesh.Authority]);
        mesh.Server.Forget();

        var endpoints = DataPlane.Tests.Resources.Endpoints("a", mesh.Server.Port);
        endpoints.Endpoints[0].LbEndpoints[0].Endpoint.Hostname = "host.example";
        mesh.Mesh.Xds.Set(EndpointsType.Instance, endpoints);
        (await mesh.GetAsync()).Dispose();
        mesh.Server.Header("host").ShouldBe(["host.example"]);
    }

    [Fact]
    public async Task A_rewritten_request_needs_no_other_connection()
    {
        await using var mesh = RoutedMesh.Create().Routes(RoutedMesh.Route(a => a.HostRewriteLiteral = "elsewhere", "/a"), RoutedMesh.Route());
        foreach (var path in new[] { "/", "/a", "/a/b", "/" })
        {
            (await mesh.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        mesh.Server.Connections.ShouldBe(1);
    }

    internal static RegexMatchAndSubstitute Regex(string pattern, string substitution)
        => new() { Pattern = new RegexMatcher { Regex = pattern }, Substitution = substitution };

    private static Route With(RouteMatch match, string rewrite) => new() { Match = match, Route_ = new RouteAction { Cluster = "a", PrefixRewrite = rewrite } };

    private static async Task<string> TargetAsync(Route route, string path, params (string Name, string Value)[] headers)
    {
        await using var mesh = RoutedMesh.Create().Routes(route);
        (await mesh.GetAsync(path, headers)).StatusCode.ShouldBe(HttpStatusCode.OK);
        return mesh.Server.Lines[0].Split(' ')[1];
    }

    private static async Task<string> HostAsync(Route route, string path, params (string Name, string Value)[] headers)
    {
        await using var mesh = RoutedMesh.Create().Routes(route);
        (await mesh.GetAsync(path, headers)).StatusCode.ShouldBe(HttpStatusCode.OK);
        return mesh.Server.Header("host").Single();
    }
}
