using Envoy.Config.Route.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Rewrites, headers, mirrors, timeouts and local answers, in the messages that istiod sends for them.</summary>
public class RouteActionTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";
    private const string ToReviews = """[{"destination":{"host":"reviews"}}]""";

    private static readonly ConfigResource Service = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static Route RouteOf(string fields, string destinations = ToReviews, Proxy? proxy = null)
        => RuleOf($"{{{fields},\"route\":{destinations}}}", proxy);

    private static Route RuleOf(string http, Proxy? proxy = null)
        => new TestMesh(Service, TestDocuments.VirtualService("rule", $$"""{"hosts":["reviews"],"http":[{{http}}]}""")).Route(Reviews, proxy);

    [Fact]
    public void A_timeout_bounds_gRPC_calls_that_ask_for_more_too()
    {
        var action = RouteOf("\"timeout\":\"1.5s\"").Route_;

        action.Timeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(1.5));
#pragma warning disable CS0612
        action.MaxGrpcTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(1.5));
        RouteOf("\"timeout\":\"0s\"").Route_.MaxGrpcTimeout.ToTimeSpan().ShouldBe(TimeSpan.Zero);
#pragma warning restore CS0612
    }

    [Fact]
    public void Attempts_are_counted_for_the_upstream()
    {
        var mesh = new TestMesh(Service);

        mesh.Routes(Reviews).VirtualHosts[0].IncludeRequestAttemptCount.ShouldBeTrue();
        mesh.Routes(Reviews, TestMesh.Grpc).VirtualHosts[0].IncludeRequestAttemptCount.ShouldBeFalse();
    }

    [Fact]
    public void What_is_matched_of_a_path_is_rewritten()
        => RouteOf("""
            "match":[{"uri":{"prefix":"/old/"}}],"rewrite":{"uri":"/new/","authority":"ratings.prod"}
            """).Route_.ShouldSatisfyAllConditions(
                action => action.PrefixRewrite.ShouldBe("/new/"),
                action => action.RegexRewrite.ShouldBeNull(),
                action => action.HostRewriteLiteral.ShouldBe("ratings.prod"),
                action => action.AppendXForwardedHost.ShouldBeFalse());

    [Fact]
    public void A_path_is_rewritten_by_the_groups_of_a_pattern()
        => RouteOf("""
            "rewrite":{"uriRegexRewrite":{"match":"^/service/([^/]+)(/.*)$","rewrite":"\\2/instance/\\1"}}
            """).Route_.ShouldSatisfyAllConditions(
                action => action.RegexRewrite.Pattern.Regex.ShouldBe("^/service/([^/]+)(/.*)$"),
                action => action.RegexRewrite.Substitution.ShouldBe("\\2/instance/\\1"),
                action => action.PrefixRewrite.ShouldBeEmpty());

    [Fact]
    public void Headers_are_set_before_they_are_added_each_by_name()
    {
        var route = RouteOf("""
            "headers":{"request":{"add":{"b":"2","a":"1"},"set":{"d":"4","c":"%REQ(x)%"},"remove":["e","f"]},
                       "response":{"add":{"h":"8"},"set":{"g":"7"},"remove":["i"]}}
            """);

        TestMesh.ShouldBeJson(new Route
        {
            RequestHeadersToAdd = { route.RequestHeadersToAdd },
            RequestHeadersToRemove = { route.RequestHeadersToRemove },
            ResponseHeadersToAdd = { route.ResponseHeadersToAdd },
            ResponseHeadersToRemove = { route.ResponseHeadersToRemove },
        }, """
            {"request_headers_to_add":[
               {"header":{"key":"c","value":"%REQ(x)%"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"},
               {"header":{"key":"d","value":"4"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"},
               {"header":{"key":"a","value":"1"}},{"header":{"key":"b","value":"2"}}],
             "request_headers_to_remove":["e","f"],
             "response_headers_to_add":[{"header":{"key":"g","value":"7"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"},{"header":{"key":"h","value":"8"}}],
             "response_headers_to_remove":["i"]}
            """);
    }

    [Theory]
    [InlineData("Host")]
    [InlineData(":authority")]
    public void Setting_the_host_rewrites_the_authority(string name)
    {
        var route = RouteOf($$$"""
            "headers":{"request":{"set":{"{{{name}}}":"ratings.prod","a":"1"} } }
            """);

        route.Route_.HostRewriteLiteral.ShouldBe("ratings.prod");
        route.RequestHeadersToAdd.Select(header => header.Header.Key).ShouldBe(["a"]);
    }

    [Fact]
    public void The_headers_of_a_single_destination_follow_those_of_the_route()
    {
        var route = RouteOf(
            """ "headers":{"request":{"set":{"a":"route"}},"response":{"remove":["x"]}} """,
            """[{"destination":{"host":"reviews"},"headers":{"request":{"set":{"a":"destination","host":"h"}},"response":{"remove":["y"]}}}]""");

        route.RequestHeadersToAdd.Select(header => header.Header.Value).ShouldBe(["route", "destination"]);
        route.ResponseHeadersToRemove.ShouldBe(["x", "y"]);
        route.Route_.HostRewriteLiteral.ShouldBe("h");
    }

    [Fact]
    public void The_authority_of_the_route_comes_before_a_destinations()
        => RouteOf(
            """ "rewrite":{"authority":"route"} """,
            """[{"destination":{"host":"reviews"},"headers":{"request":{"set":{"host":"destination"}}}}]""").Route_.HostRewriteLiteral.ShouldBe("route");

    [Fact]
    public void The_headers_of_one_of_several_destinations_are_its_own()
    {
        var route = RouteOf(
            """ "name":"split" """,
            """
            [{"destination":{"host":"reviews","subset":"v1"},"weight":1,"headers":{"request":{"set":{"a":"1","host":"v1.test"}},"response":{"add":{"b":"2"}}}},
             {"destination":{"host":"reviews","subset":"v2"},"weight":1,"headers":{"request":{"remove":["c"]},"response":{"remove":["d"]}}}]
            """);

        route.RequestHeadersToAdd.ShouldBeEmpty();
        route.Route_.HostRewriteSpecifierCase.ShouldBe(RouteAction.HostRewriteSpecifierOneofCase.None);
        TestMesh.ShouldBeJson(route.Route_.WeightedClusters, """
            {"clusters":[
              {"name":"outbound|9080|v1|reviews.default.svc.cluster.local","weight":1,"host_rewrite_literal":"v1.test",
               "request_headers_to_add":[{"header":{"key":"a","value":"1"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"}],
               "response_headers_to_add":[{"header":{"key":"b","value":"2"}}]},
              {"name":"outbound|9080|v2|reviews.default.svc.cluster.local","weight":1,"request_headers_to_remove":["c"],"response_headers_to_remove":["d"]}]}
            """);
    }

    [Fact]
    public void Everything_is_mirrored_unless_a_percentage_is_given()
        => TestMesh.ShouldBeJson(RouteOf("\"mirror\":{\"host\":\"reviews\",\"subset\":\"v2\"}").Route_.RequestMirrorPolicies.ShouldHaveSingleItem(), """
            {"cluster":"outbound|9080|v2|reviews.default.svc.cluster.local","runtime_fraction":{"default_value":{"numerator":100}},"trace_sampled":false}
            """);

    [Theory]
    [InlineData("\"mirrorPercentage\":{\"value\":12.5}", 125_000u, "Million")]
    [InlineData("\"mirrorPercent\":7", 7u, "Hundred")]
    [InlineData("\"mirrorPercentage\":{\"value\":1},\"mirrorPercent\":0", 10_000u, "Million")]
    [InlineData("\"mirrorPercentage\":{\"value\":0},\"mirrorPercent\":7", 0u, null)]
    [InlineData("\"mirrorPercent\":0", 0u, null)]
    public void A_share_is_mirrored_and_of_nothing_nothing(string share, uint numerator, string? denominator)
    {
        var policies = RouteOf($"\"mirror\":{{\"host\":\"reviews\"}},{share}").Route_.RequestMirrorPolicies;

        policies.Select(policy => policy.RuntimeFraction.DefaultValue.Denominator.ToString()).ShouldBe(denominator is null ? [] : [denominator]);
        policies.Select(policy => policy.RuntimeFraction.DefaultValue.Numerator).ShouldBe(denominator is null ? [] : [numerator]);
    }

    [Fact]
    public void Several_mirrors_have_a_share_each()
    {
        var policies = RouteOf("""
            "mirrors":[{"destination":{"host":"a","port":{"number":1}},"percentage":{"value":0.5}},{"destination":{"host":"b","port":{"number":2}}},
                       {"destination":{"host":"c","port":{"number":3}},"percentage":{}}]
            """).Route_.RequestMirrorPolicies;

        policies.Select(policy => $"{policy.Cluster} {policy.RuntimeFraction.DefaultValue.Numerator}")
            .ShouldBe(["outbound|1||a.default.svc.cluster.local 5000", "outbound|2||b.default.svc.cluster.local 100"]);
    }

    [Fact]
    public void A_gRPC_client_gets_nothing_of_what_gRPC_does_not_know()
    {
        var route = RouteOf("""
            "name":"r","rewrite":{"uri":"/x","authority":"y"},"mirror":{"host":"reviews"},"headers":{"request":{"set":{"a":"1"}},"response":{"add":{"b":"2"}}},
            "corsPolicy":{"allowOrigins":[{"exact":"*"}]}
            """, """[{"destination":{"host":"reviews"},"headers":{"request":{"set":{"c":"3"}}}}]""", TestMesh.Grpc);

        route.Metadata = null;
        TestMesh.ShouldBeJson(route, """
            {"name":"r","match":{"prefix":"/"},
             "route":{"cluster":"outbound|9080||reviews.default.svc.cluster.local","max_stream_duration":{"max_stream_duration":"0s"},
                      "retry_policy":{"retry_on":"unavailable,cancelled","num_retries":2}}}
            """);
    }

    [Theory]
    [InlineData("\"uri\":\"/new\",\"redirectCode\":302", """{"path_redirect":"/new","response_code":"FOUND"}""")]
    [InlineData("\"uri\":\"/new\",\"redirectCode\":303", """{"path_redirect":"/new","response_code":"SEE_OTHER"}""")]
    [InlineData("\"authority\":\"a.test\",\"redirectCode\":307", """{"host_redirect":"a.test","response_code":"TEMPORARY_REDIRECT"}""")]
    [InlineData("\"prefixRewrite\":\"/p\"", """{"prefix_rewrite":"/p"}""")]
    [InlineData("\"uri\":\"%PREFIX()%/p\"", """{"prefix_rewrite":"/p"}""")]
    [InlineData("\"scheme\":\"https\",\"port\":8443", """{"scheme_redirect":"https","port_redirect":8443}""")]
    [InlineData("\"scheme\":\"https\",\"port\":443", """{"scheme_redirect":"https"}""")]
    [InlineData("\"port\":80", "{}")]
    [InlineData("\"port\":443", """{"port_redirect":443}""")]
    [InlineData("\"derivePort\":\"FROM_REQUEST_PORT\"", """{"port_redirect":9080}""")]
    [InlineData("\"derivePort\":\"FROM_PROTOCOL_DEFAULT\"", "{}")]
    public void A_redirect_names_what_changes(string redirect, string expected)
        => TestMesh.ShouldBeJson(RuleOf($"{{\"redirect\":{{{redirect}}}}}").Redirect, expected);

    [Fact]
    public void A_direct_response_carries_text_or_bytes()
    {
        TestMesh.ShouldBeJson(
            RuleOf("""{"directResponse":{"status":503,"body":{"string":"unknown error"}}}""").DirectResponse,
            """{"status":503,"body":{"inline_string":"unknown error"}}""");
        TestMesh.ShouldBeJson(
            RuleOf("""{"directResponse":{"status":402,"body":{"bytes":"AAEC"}}}""").DirectResponse,
            """{"status":402,"body":{"inline_bytes":"AAEC"}}""");
        TestMesh.ShouldBeJson(RuleOf("""{"directResponse":{"status":204}}""").DirectResponse, """{"status":204}""");
    }

    [Fact]
    public void Local_answers_have_headers_too()
        => RuleOf("""{"directResponse":{"status":204},"headers":{"response":{"set":{"a":"1"}}}}""").ResponseHeadersToAdd.ShouldHaveSingleItem().Header.Key.ShouldBe("a");

    [Fact]
    public void A_direct_response_may_be_as_long_as_a_document_may_say()
        => new TestMesh(Service).Routes(Reviews).MaxDirectResponseBodySizeBytes.ShouldBe(1_048_576u);
}
