using Envoy.Config.Route.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

public class RouteGeneratorTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly ConfigResource ReviewsService = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");

    private static TestMesh With(string http, params ConfigResource[] more)
        => new([ReviewsService, TestDocuments.VirtualService("rule", $$"""{"hosts":["reviews"],"http":{{http}}}"""), .. more]);

    private static RouteMatch MatchOf(string match, Proxy? proxy = null)
        => With($$$"""[{"match":[{{{match}}}],"route":[{"destination":{"host":"reviews"}}]}]""").Routes(Reviews, proxy).VirtualHosts[0].Routes[0].Match;

    [Fact]
    public void Without_a_rule_everything_goes_to_the_service()
        => new TestMesh(ReviewsService).RouteSummary(Reviews).ShouldBe([$"/ -> {Reviews}"]);

    [Fact]
    public void Several_matches_of_one_entry_become_one_route_each_in_order()
        => With("""
            [{"match":[{"uri":{"prefix":"/a"}},{"uri":{"exact":"/b"}},{"uri":{"regex":"/c.*"}}],"route":[{"destination":{"host":"reviews"}}]},
             {"route":[{"destination":{"host":"ratings","port":{"number":8080}}}]}]
            """).RouteSummary(Reviews).ShouldBe(
            [
                $"/a -> {Reviews}",
                $"/b -> {Reviews}",
                $"/c.* -> {Reviews}",
                "/ -> outbound|8080||ratings.default.svc.cluster.local",
            ]);

    [Fact]
    public void Nothing_is_sent_behind_a_route_that_matches_everything()
        => With("""
            [{"match":[{"uri":{"prefix":"/"}}],"route":[{"destination":{"host":"reviews","subset":"v1"}}]},
             {"route":[{"destination":{"host":"reviews","subset":"v2"}}]}]
            """).RouteSummary(Reviews).ShouldBe(["/ -> outbound|9080|v1|reviews.default.svc.cluster.local"]);

    [Fact]
    public void A_destination_of_weight_zero_is_dropped()
        => With("""
            [{"route":[{"destination":{"host":"reviews","subset":"v1"},"weight":100},{"destination":{"host":"reviews","subset":"v2"}}]}]
            """).RouteSummary(Reviews).ShouldBe(["/ -> outbound|9080|v1|reviews.default.svc.cluster.local=100"]);

    [Fact]
    public void A_single_destination_has_no_weight()
        => With("""[{"route":[{"destination":{"host":"reviews","subset":"v1"},"weight":100}]}]""")
            .RouteSummary(Reviews).ShouldBe(["/ -> outbound|9080|v1|reviews.default.svc.cluster.local"]);

    [Fact]
    public void A_destination_without_port_means_the_only_port_of_its_service()
        => With("""[{"route":[{"destination":{"host":"ratings.prod.svc.cluster.local"}}]}]""", TestDocuments.Service("ratings", """{"port":7070}""", @namespace: "prod"))
            .RouteSummary(Reviews).ShouldBe(["/ -> outbound|7070||ratings.prod.svc.cluster.local"]);

    [Fact]
    public void A_destination_without_port_means_the_port_of_the_request_when_its_service_has_several()
        => With("""[{"route":[{"destination":{"host":"ratings"}}]}]""", TestDocuments.Service("ratings", """{"name":"http-a","port":7070},{"name":"http-b","port":7071}"""))
            .RouteSummary(Reviews).ShouldBe(["/ -> outbound|9080||ratings.default.svc.cluster.local"]);

    [Fact]
    public void A_short_destination_belongs_to_the_namespace_of_the_rule_and_not_of_the_client()
    {
        var mesh = new TestMesh(
            ReviewsService,
            TestDocuments.VirtualService("rule", """{"hosts":["reviews.default.svc.cluster.local"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}""", "prod"));

        mesh.RouteSummary(Reviews).ShouldBe(["/ -> outbound|9080||ratings.prod.svc.cluster.local"]);
    }

    [Fact]
    public void Every_condition_of_a_match_is_carried()
    {
        var match = MatchOf("""
            {"uri":{"prefix":"/Api"},"ignoreUriCase":true,"method":{"exact":"GET"},"scheme":{"exact":"http"},"authority":{"prefix":"reviews"},
             "headers":{"b":{"regex":"x+"},"a":{"prefix":"p"},"c":{}},"withoutHeaders":{"d":{"exact":"no"},"e":{}},
             "queryParams":{"q":{"exact":"1"},"r":{"regex":"*"}}}
            """);

        match.Prefix.ShouldBe("/Api");
        match.CaseSensitive.ShouldBe(false);
        match.Headers.Select(header => header.Name).ShouldBe(["a", "b", "c", "d", "e", ":method", ":authority", ":scheme"]);
        match.Headers[0].StringMatch.Prefix.ShouldBe("p");
        match.Headers[1].StringMatch.SafeRegex.Regex.ShouldBe("x+");
        match.Headers[2].PresentMatch.ShouldBeTrue();
        match.Headers[3].ShouldSatisfyAllConditions(
            header => header.StringMatch.Exact.ShouldBe("no"),
            header => header.InvertMatch.ShouldBeTrue(),
            header => header.TreatMissingHeaderAsEmpty.ShouldBeTrue());
        match.Headers[4].ShouldSatisfyAllConditions(
            header => header.PresentMatch.ShouldBeTrue(),
            header => header.InvertMatch.ShouldBeTrue(),
            header => header.TreatMissingHeaderAsEmpty.ShouldBeFalse());
        match.QueryParameters[0].StringMatch.Exact.ShouldBe("1");
        match.QueryParameters[1].PresentMatch.ShouldBeTrue();
    }

    [Fact]
    public void Claims_of_tokens_are_matched_in_the_metadata_of_their_filter()
    {
        var match = MatchOf("""
            {"headers":{"@request.auth.claims.sub":{"exact":"a"},"@Request.Auth.Claims[realm][Roles.x]":{"prefix":"b"},"x":{"exact":"c"}},
             "withoutHeaders":{"@request.auth.claims[groups]":{"regex":"d+"},"@request.auth.claims.azp":{}}}
            """);
        match.Headers.Select(header => header.Name).ShouldBe(["x"]);
        match.Headers.Clear();

        TestMesh.ShouldBeJson(match, """
            {"prefix":"/","case_sensitive":true,"dynamic_metadata":[
              {"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"realm"},{"key":"Roles.x"}],
               "value":{"or_match":{"value_matchers":[{"list_match":{"one_of":{"string_match":{"prefix":"b"}}}},{"string_match":{"prefix":"b"}}]}}},
              {"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"sub"}],
               "value":{"or_match":{"value_matchers":[{"list_match":{"one_of":{"string_match":{"exact":"a"}}}},{"string_match":{"exact":"a"}}]}}},
              {"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"azp"}],"value":{"present_match":true},"invert":true},
              {"filter":"envoy.filters.http.jwt_authn","path":[{"key":"payload"},{"key":"groups"}],
               "value":{"or_match":{"value_matchers":[{"list_match":{"one_of":{"string_match":{"safe_regex":{"regex":"d+"}}}}},{"string_match":{"safe_regex":{"regex":"d+"}}}]}},"invert":true}]}
            """);
    }

    [Fact]
    public void A_gRPC_client_which_knows_no_tokens_gets_no_route_that_asks_for_a_claim()
        => With("""
            [{"match":[{"headers":{"@request.auth.claims.sub":{"exact":"a"}}}],"route":[{"destination":{"host":"reviews","subset":"a"}}]},
             {"match":[{"uri":{"prefix":"/b"},"withoutHeaders":{"@request.auth.claims.sub":{"exact":"a"}}}],"route":[{"destination":{"host":"reviews","subset":"b"}}]},
             {"route":[{"destination":{"host":"reviews","subset":"c"}}]}]
            """).RouteSummary(Reviews, TestMesh.Grpc).ShouldBe(
            [
                "/b -> outbound|9080|b|reviews.default.svc.cluster.local",
                "/ -> outbound|9080|c|reviews.default.svc.cluster.local",
            ]);

    [Fact]
    public void A_match_of_a_claim_alone_leaves_the_rest_to_later_routes()
        => With("""
            [{"match":[{"headers":{"@request.auth.claims.sub":{"exact":"a"}}}],"route":[{"destination":{"host":"reviews","subset":"a"}}]},
             {"route":[{"destination":{"host":"reviews","subset":"c"}}]}]
            """).RouteSummary(Reviews).Length.ShouldBe(2);

    [Fact]
    public void A_gRPC_client_gets_no_string_match()
    {
        var match = MatchOf("""{"headers":{"a":{"prefix":"p"},"b":{"regex":"x+"},"c":{"exact":"y"}},"withoutHeaders":{"d":{"exact":"no"}}}""", TestMesh.Grpc);

#pragma warning disable CS0612 // The deprecated forms are the point.
        match.Headers[0].PrefixMatch.ShouldBe("p");
        match.Headers[1].SafeRegexMatch.Regex.ShouldBe("x+");
        match.Headers[2].ExactMatch.ShouldBe("y");
        match.Headers[3].ExactMatch.ShouldBe("no");
#pragma warning restore CS0612
        match.Headers[3].InvertMatch.ShouldBeTrue();
        match.Headers[3].TreatMissingHeaderAsEmpty.ShouldBeFalse();
    }

    [Fact]
    public void What_a_gRPC_request_must_not_carry_may_be_missing_or_another_value()
    {
        var routes = With("""
            [{"match":[{"withoutHeaders":{"a":{"exact":"x"},"b":{"prefix":"y"},"c":{}}}],"route":[{"destination":{"host":"reviews"}}]}]
            """).Routes(Reviews, TestMesh.Grpc).VirtualHosts[0].Routes;

        routes.ShouldAllBe(route => route.Match.Headers.All(header => header.InvertMatch) && route.Match.Headers.Count == 3);
        routes.Select(route => string.Join(" ", route.Match.Headers.Select(header => header.HeaderMatchSpecifierCase)))
            .ShouldBe(["ExactMatch PrefixMatch PresentMatch", "PresentMatch PrefixMatch PresentMatch", "ExactMatch PresentMatch PresentMatch", "PresentMatch PresentMatch PresentMatch"]);
    }

    [Fact]
    public void Source_labels_and_namespace_are_judged_when_routes_are_made()
    {
        var mesh = With("""
            [{"match":[{"sourceLabels":{"app":"web"}}],"route":[{"destination":{"host":"reviews","subset":"web"}}]},
             {"match":[{"sourceNamespace":"prod"}],"route":[{"destination":{"host":"reviews","subset":"prod"}}]},
             {"route":[{"destination":{"host":"reviews","subset":"rest"}}]}]
            """);

        string[] For(string @namespace, string app)
            => [.. mesh.RouteSummary(Reviews, new Proxy(ProxyKind.Mesh, @namespace, new Dictionary<string, string> { ["app"] = app })).Select(route => route.Split('|')[2])];

        For("default", "web").ShouldBe(["web"]);
        For("prod", "job").ShouldBe(["prod"]);
        For("default", "job").ShouldBe(["rest"]);
    }

    [Fact]
    public void A_match_of_another_port_or_gateway_leaves_no_route()
        => With("""
            [{"match":[{"port":80},{"gateways":["istio-system/gateway"]}],"route":[{"destination":{"host":"reviews","subset":"no"}}]},
             {"match":[{"port":9080,"uri":{"prefix":"/p"}},{"gateways":["mesh"],"uri":{"prefix":"/g"}}],"route":[{"destination":{"host":"reviews"}}]}]
            """).RouteSummary(Reviews).ShouldBe([$"/p -> {Reviews}", $"/g -> {Reviews}"]);

    [Fact]
    public void A_rule_for_gateways_only_is_not_for_the_mesh()
    {
        var mesh = new TestMesh(ReviewsService, TestDocuments.VirtualService("rule", """
            {"hosts":["reviews"],"gateways":["istio-system/gateway"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v1"}}]}]}
            """));

        mesh.RouteSummary(Reviews).ShouldBe([$"/ -> {Reviews}"]);
    }

    [Fact]
    public void Names_and_stat_prefixes_are_carried()
    {
        var route = With("""[{"name":"canary","match":[{"name":"jason","statPrefix":"jason-stats"}],"route":[{"destination":{"host":"reviews"}}]}]""")
            .Routes(Reviews).VirtualHosts[0].Routes[0];

        route.Name.ShouldBe("canary.jason");
        route.StatPrefix.ShouldBe("jason-stats");
    }

    [Fact]
    public void A_timeout_is_the_routes_for_a_mesh_client_and_the_streams_for_gRPC()
    {
        var mesh = With("""[{"timeout":"1.5s","route":[{"destination":{"host":"reviews"}}]}]""");

        mesh.Routes(Reviews).VirtualHosts[0].Routes[0].Route_.Timeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(1.5));
        var grpc = mesh.Routes(Reviews, TestMesh.Grpc).VirtualHosts[0].Routes[0].Route_;
        grpc.Timeout.ShouldBeNull();
        grpc.MaxStreamDuration.MaxStreamDuration_.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public void A_redirect_and_a_direct_response_need_no_destination()
    {
        var routes = With("""
            [{"match":[{"uri":{"exact":"/old"}}],"redirect":{"uri":"/new","authority":"example.com","redirectCode":308,"port":8080}},
             {"directResponse":{"status":418,"body":{"string":"teapot"}}}]
            """).Routes(Reviews).VirtualHosts[0].Routes;

        routes[0].Redirect.ShouldSatisfyAllConditions(
            redirect => redirect.PathRedirect.ShouldBe("/new"),
            redirect => redirect.HostRedirect.ShouldBe("example.com"),
            redirect => redirect.PortRedirect.ShouldBe(8080u),
            redirect => redirect.ResponseCode.ShouldBe(RedirectAction.Types.RedirectResponseCode.PermanentRedirect));
        routes[1].DirectResponse.Status.ShouldBe(418u);
        routes[1].DirectResponse.Body.InlineString.ShouldBe("teapot");
    }

    [Fact]
    public void The_bare_name_is_a_domain_in_the_own_namespace_only()
    {
        var domains = new TestMesh(ReviewsService).Routes(Reviews, new Proxy(ProxyKind.Mesh, "prod", new Dictionary<string, string>())).VirtualHosts[0].Domains;

        domains.ShouldNotContain("reviews");
        domains.ShouldContain("reviews.default");
        domains.ShouldContain("reviews.default.svc:9080");
    }

    [Fact]
    public void A_host_that_only_a_rule_knows_is_routed_on_port_80()
    {
        var mesh = new TestMesh(ReviewsService, TestDocuments.VirtualService("rule", """
            {"hosts":["shop.example.com"],"http":[{"route":[{"destination":{"host":"reviews"}}]}]}
            """));

        mesh.RouteSummary("outbound|80||shop.example.com").ShouldBe([$"/ -> {Reviews}"]);
        SubsetKey.TryParse("outbound|81||shop.example.com", out var other).ShouldBeTrue();
        RouteGenerator.Generate(TestMesh.Mesh, mesh.Config, other).ShouldBeNull();
    }
}
