using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Model;

/// <summary>Roots and delegates, by Istio's rules for merging them.</summary>
public class DelegateTests
{
    private const string Shop = "outbound|80||shop.default.svc.cluster.local";

    private static readonly ConfigResource Service = TestDocuments.Service("shop", """{"name":"http","port":80}""");

    private static ConfigResource Root(string http) => TestDocuments.VirtualService("root", $$"""{"hosts":["shop"],"http":{{http}}}""");

    private static ConfigResource Delegate(string http, string @namespace = "default", string more = "")
        => TestDocuments.VirtualService("cart", $$"""{"http":{{http}}{{more}}}""", @namespace);

    private static HTTPRoute[] Merged(TestMesh mesh)
        => [.. mesh.Config.FindVirtualService("default", "shop.default.svc.cluster.local").ShouldNotBeNull().Spec.Http];

    /// <summary>The one match of the one merged route, or none when they conflict.</summary>
    private static HTTPMatchRequest? MatchOf(string root, string leaf)
    {
        var mesh = new TestMesh(
            Service,
            Root("""[{"match":[ROOT],"delegate":{"name":"cart"}}]""".Replace("ROOT", root, StringComparison.Ordinal)),
            Delegate("""[{"match":[LEAF],"route":[{"destination":{"host":"cart"}}]}]""".Replace("LEAF", leaf, StringComparison.Ordinal)));
        var routes = Merged(mesh);
        if (routes.Length == 0)
        {
            mesh.Diagnostics.ShouldHaveSingleItem().Code.ShouldBe("MESH0102");
        }

        return routes.SingleOrDefault()?.Match.ShouldHaveSingleItem();
    }

    [Fact]
    public void The_routes_of_the_delegate_stand_where_the_entry_stood()
        => new TestMesh(
            Service,
            Root("""
                [{"match":[{"uri":{"prefix":"/first"}}],"route":[{"destination":{"host":"first"}}]},
                 {"match":[{"uri":{"prefix":"/cart"}}],"delegate":{"name":"cart","namespace":"carts"}},
                 {"route":[{"destination":{"host":"rest"}}]}]
                """),
            Delegate("""
                [{"match":[{"uri":{"prefix":"/cart/v2"}}],"route":[{"destination":{"host":"two"}}]},{"route":[{"destination":{"host":"one.other"}}]}]
                """, "carts")).RouteSummary(Shop).ShouldBe(
        [
            "/first -> outbound|80||first.default.svc.cluster.local",
            "/cart/v2 -> outbound|80||two.carts.svc.cluster.local",
            "/cart -> outbound|80||one.other",
            "/ -> outbound|80||rest.default.svc.cluster.local",
        ]);

    [Fact]
    public void What_a_route_leaves_open_it_has_from_the_entry()
    {
        const string settings = """
            "rewrite":{"uri":"/ROOT"},"timeout":"1s","retries":{"attempts":1},"fault":{"abort":{"httpStatus":501}},"mirror":{"host":"ROOT"},
            "mirrorPercent":1,"mirrorPercentage":{"value":1},"corsPolicy":{"allowMethods":["ROOT"]},"mirrors":[{"destination":{"host":"ROOT"}}],
            "headers":{"request":{"remove":["ROOT"]}},"name":"ROOT"
            """;
        var own = settings.Replace("ROOT", "leaf", StringComparison.Ordinal).Replace("1", "2", StringComparison.Ordinal);
        var mesh = new TestMesh(
            Service,
            Root($$"""[{ {{settings}},"delegate":{"name":"cart"} }]"""),
            Delegate($$"""[{"route":[{"destination":{"host":"a"} }]},{ {{own}},"route":[{"destination":{"host":"b"} }]}]"""));

        var routes = Merged(mesh);

        var expected = HTTPRoute.Parser.ParseJson($$"""{ {{settings}},"route":[{"destination":{"host":"a.default.svc.cluster.local"} }]}""");
        expected.Mirror.Host = expected.Mirrors[0].Destination.Host = "root.default.svc.cluster.local";
        routes[0].ShouldBe(expected);
        expected = HTTPRoute.Parser.ParseJson($$"""{ {{own}},"route":[{"destination":{"host":"b.default.svc.cluster.local"} }]}""");
        expected.Mirror.Host = expected.Mirrors[0].Destination.Host = "leaf.default.svc.cluster.local";
        expected.Name = "ROOT-leaf";
        routes[1].ShouldBe(expected);
    }

    [Fact]
    public void A_redirect_is_the_delegates_alone()
        => Merged(new TestMesh(
            Service,
            Root("""[{"name":"r","match":[{"uri":{"exact":"/a"}}],"delegate":{"name":"cart"}}]"""),
            Delegate("""[{"redirect":{"uri":"/b"}}]"""))).ShouldHaveSingleItem().ShouldBe(HTTPRoute.Parser.ParseJson(
                """{"name":"r","match":[{"uri":{"exact":"/a"}}],"redirect":{"uri":"/b"}}"""));

    [Fact]
    public void Matches_are_completed_and_the_delegates_own_count()
        => MatchOf(
            """
            {"name":"r","uri":{"prefix":"/a"},"scheme":{"exact":"http"},"method":{"exact":"GET"},"authority":{"prefix":"x"},"headers":{"h":{"prefix":"1"},"i":{"exact":"r"}},
             "withoutHeaders":{"w":{"exact":"r"}},"queryParams":{"q":{"exact":"r"}},"port":80,"sourceLabels":{"app":"web"},"gateways":["mesh"],"statPrefix":"r"}
            """,
            """{"name":"l","uri":{"exact":"/a/b"},"headers":{"h":{"exact":"12"},"j":{"exact":"l"}},"sourceLabels":{"version":"v1"},"statPrefix":"l"}""").ShouldBe(
            HTTPMatchRequest.Parser.ParseJson("""
                {"name":"r-l","uri":{"exact":"/a/b"},"scheme":{"exact":"http"},"method":{"exact":"GET"},"authority":{"prefix":"x"},
                 "headers":{"h":{"exact":"12"},"i":{"exact":"r"},"j":{"exact":"l"}},"withoutHeaders":{"w":{"exact":"r"}},"queryParams":{"q":{"exact":"r"}},
                 "port":80,"sourceLabels":{"app":"web","version":"v1"},"gateways":["mesh"],"statPrefix":"l"}
                """));

    [Theory]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"prefix":"/a/b"}}""", true)]
    [InlineData("""{"uri":{"prefix":"/a/b"}}""", """{"uri":{"prefix":"/a"}}""", false)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"exact":"/a"}}""", true)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"exact":"/b"}}""", false)]
    [InlineData("""{"uri":{"exact":"/a"}}""", """{"uri":{"exact":"/a"}}""", true)]
    [InlineData("""{"uri":{"exact":"/a"}}""", """{"uri":{"exact":"/b"}}""", false)]
    [InlineData("""{"uri":{"exact":"/a"}}""", """{"uri":{"prefix":"/a"}}""", false)]
    [InlineData("""{"uri":{"regex":"/a.*"}}""", """{"uri":{"regex":"/a.*"}}""", false)]
    [InlineData("""{"uri":{"regex":"/a.*"}}""", """{"uri":{"exact":"/ab"}}""", false)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"regex":"/a/.*"}}""", false)]
    [InlineData("""{"uri":{"regex":"/a.*"}}""", """{"method":{"exact":"GET"}}""", true)]
    [InlineData("""{"ignoreUriCase":true}""", """{}""", false)]
    [InlineData("""{"headers":{"h":{}}}""", """{"headers":{"h":{"exact":"1"}}}""", false)]
    [InlineData("""{"headers":{"h":{"exact":"1"}}}""", """{"headers":{"i":{"exact":"1"}}}""", true)]
    [InlineData("""{"withoutHeaders":{"h":{"exact":"1"}}}""", """{"withoutHeaders":{"h":{"exact":"2"}}}""", false)]
    [InlineData("""{"queryParams":{"q":{"exact":"1"}}}""", """{"queryParams":{"q":{"exact":"2"}}}""", false)]
    [InlineData("""{"port":80}""", """{"port":81}""", false)]
    [InlineData("""{"sourceNamespace":"a"}""", """{}""", false)]
    [InlineData("""{}""", """{"sourceNamespace":"a"}""", true)]
    [InlineData("""{"sourceNamespace":"a"}""", """{"sourceNamespace":"a"}""", true)]
    [InlineData("""{"sourceLabels":{"a":"1"}}""", """{"sourceLabels":{"a":"2"}}""", false)]
    [InlineData("""{"gateways":["mesh"]}""", """{"gateways":["mesh","default/g"]}""", false)]
    [InlineData("""{"gateways":["mesh","default/g"]}""", """{"gateways":["g"]}""", true)]
    public void A_match_of_a_delegate_must_narrow_one_of_the_entrys(string root, string leaf, bool narrows)
        => (MatchOf(root, leaf) is not null).ShouldBe(narrows);

    [Fact]
    public void Every_pair_of_matches_that_fit_is_a_match()
    {
        var mesh = new TestMesh(
            Service,
            Root("""[{"match":[{"uri":{"prefix":"/a"}},{"uri":{"prefix":"/a/b"}},{"uri":{"prefix":"/z"}}],"delegate":{"name":"cart"}}]"""),
            Delegate("""
                [{"match":[{"uri":{"prefix":"/a/b/c"}},{"headers":{"h":{"exact":"1"}}}],"route":[{"destination":{"host":"x"}}]},
                 {"match":[{"uri":{"prefix":"/a"}},{"uri":{"prefix":"/none"}}],"route":[{"destination":{"host":"y"}}]}]
                """));

        Merged(mesh).ShouldHaveSingleItem().Match.Select(match => match.Uri.Prefix).ShouldBe(["/a/b/c", "/a/b/c", "/a", "/a/b", "/z"]);
        mesh.Diagnostics.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            found => found.Code.ShouldBe("MESH0102"),
            found => found.Path.ShouldBe("spec.http[0].delegate"),
            found => found.File.ShouldBe("root.yaml"),
            found => found.Message.ShouldContain("spec.http[1] of the VirtualService default/cart"));
    }

    [Theory]
    [InlineData("""{"name":"cart","namespace":"elsewhere"}""", "", "elsewhere/cart does not exist")]
    [InlineData("""{"name":"cart"}""", ""","hosts":["cart"]""", "has hosts of its own")]
    [InlineData("""{"name":"cart"}""", ""","exportTo":["other"]""", "is not exported to the namespace default")]
    public void An_entry_whose_delegate_cannot_be_had_has_no_routes_and_says_so(string target, string more, string expected)
    {
        var mesh = new TestMesh(
            Service,
            Root($$"""[{"delegate":{{target}} },{"match":[{"uri":{"exact":"/x"} }],"route":[{"destination":{"host":"rest"} }]}]"""),
            Delegate("""[{"route":[{"destination":{"host":"cart"}}]}]""", more: more));

        mesh.RouteSummary(Shop).ShouldBe(["/x -> outbound|80||rest.default.svc.cluster.local"]);
        var found = mesh.Diagnostics.First(diagnostic => diagnostic.Resource == "VirtualService default/root");
        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.http[0].delegate.name");
        found.Message.ShouldContain(expected);
    }

    [Fact]
    public void A_delegate_that_nobody_names_says_so()
        => new TestMesh(Service, Delegate("""[{"route":[{"destination":{"host":"cart"}}]}]""")).Diagnostics.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            found => found.Code.ShouldBe("MESH0103"),
            found => found.File.ShouldBe("cart.yaml"));

    [Fact]
    public void A_change_of_the_delegate_touches_the_routes_of_its_roots_and_no_change_touches_nothing()
    {
        var root = Root("""[{"delegate":{"name":"cart"}}]""");
        var cart = Delegate("""[{"route":[{"destination":{"host":"one"}}]}]""");
        var other = TestDocuments.Service("other", """{"name":"http","port":80}""");
        var mesh = new TestMesh(Service, root, cart);
        var rule = mesh.Config.FindVirtualService("default", "shop.default.svc.cluster.local");

        mesh.Apply(Service, root, cart, other);
        mesh.Config.FindVirtualService("default", "shop.default.svc.cluster.local").ShouldBeSameAs(rule);

        var change = mesh.Apply(Service, root, Delegate("""[{"route":[{"destination":{"host":"two"}}]}]"""), other);
        change!.ByType[TypeUrls.RouteConfiguration].ShouldNotBeNull().ShouldContain(Shop);
        mesh.RouteSummary(Shop).ShouldBe(["/ -> outbound|80||two.default.svc.cluster.local"]);
    }

    [Fact]
    public void A_delegate_by_itself_governs_no_host()
        => new TestMesh(Service, Delegate("""[{"route":[{"destination":{"host":"cart"}}]}]""")).RouteSummary(Shop).ShouldBe([$"/ -> {Shop}"]);

    [Fact]
    public void Source_labels_of_a_delegate_tell_clients_apart()
    {
        var mesh = new TestMesh(
            Service, Root("""[{"delegate":{"name":"cart"}}]"""), Delegate("""[{"match":[{"sourceLabels":{"app":"web"}}],"route":[{"destination":{"host":"web"}}]}]"""));

        mesh.Config.FindVirtualService("default", "shop.default.svc.cluster.local")!.DependsOnSourceLabels.ShouldBeTrue();
        mesh.RouteSummary(Shop, new Proxy(ProxyKind.Mesh, "default", new Dictionary<string, string> { ["app"] = "web" }))
            .ShouldBe(["/ -> outbound|80||web.default.svc.cluster.local"]);
        mesh.RouteSummary(Shop).ShouldBe([$"/ -> {Shop}"]);
    }
}
