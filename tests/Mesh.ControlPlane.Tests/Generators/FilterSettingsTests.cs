using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Faults and CORS: what a route tells the filters of its listener.</summary>
public class FilterSettingsTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly ConfigResource Service = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static IDictionary<string, Any> SettingsOf(string fields, Proxy? proxy = null)
        => new TestMesh(Service, TestDocuments.VirtualService("rule", $$$"""{"hosts":["reviews"],"http":[{ {{{fields}}},"route":[{"destination":{"host":"reviews"} }]}]}"""))
            .Route(Reviews, proxy).TypedPerFilterConfig;

    private static void FaultShouldBe(string fault, string expected)
        => TestMesh.ShouldBeJson(
            SettingsOf($"\"fault\":{fault}")["envoy.filters.http.fault"].Unpack<Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault>(), expected);

    private static void CorsShouldBe(string cors, string expected)
        => TestMesh.ShouldBeJson(
            SettingsOf($"\"corsPolicy\":{cors}")["envoy.filters.http.cors"].Unpack<Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy>(), expected);

    [Fact]
    public void A_route_without_either_says_nothing() => SettingsOf("\"name\":\"r\"").ShouldBeEmpty();

    [Fact]
    public void A_delay_and_an_abort_by_percentage()
        => FaultShouldBe(
            """{"delay":{"fixedDelay":"7s","percentage":{"value":12.5}},"abort":{"httpStatus":500,"percentage":{"value":0.01}}}""",
            """
            {"delay":{"fixed_delay":"7s","percentage":{"numerator":125000,"denominator":"MILLION"}},
             "abort":{"http_status":500,"percentage":{"numerator":100,"denominator":"MILLION"}}}
            """);

    [Fact]
    public void A_delay_by_the_older_whole_percent()
        => FaultShouldBe("""{"delay":{"fixedDelay":"1s","percent":20}}""", """{"delay":{"fixed_delay":"1s","percentage":{"numerator":20}}}""");

    [Fact]
    public void Without_a_percentage_nothing_is_injected()
        => FaultShouldBe("""{"delay":{"fixedDelay":"1s"},"abort":{"httpStatus":418}}""", """{"delay":{"fixed_delay":"1s","percentage":{}},"abort":{"http_status":418}}""");

    [Theory]
    [InlineData("UNAVAILABLE", 14)]
    [InlineData("RESOURCE_EXHAUSTED", 8)]
    [InlineData("UNAUTHENTICATED", 16)]
    public void An_abort_with_a_gRPC_status_by_name(string name, int code)
        => FaultShouldBe(
            $$"""{"abort":{"grpcStatus":"{{name}}","percentage":{"value":100} } }""",
            $$"""{"abort":{"grpc_status":{{code}},"percentage":{"numerator":1000000,"denominator":"MILLION"} } }""");

    [Fact]
    public void A_gRPC_client_injects_faults_too()
        => SettingsOf("""
            "fault":{"abort":{"grpcStatus":"ABORTED","percentage":{"value":50}}},"corsPolicy":{}
            """, TestMesh.Grpc).Keys.ShouldBe(["envoy.filters.http.fault"]);

    [Fact]
    public void Every_field_of_a_cors_policy()
        => CorsShouldBe(
            """
            {"allowOrigins":[{"exact":"https://a.test"},{"prefix":"https://b."},{"regex":"https://.*\\.c\\.test"}],"allowMethods":["GET","POST"],
             "allowHeaders":["x-a","x-b"],"exposeHeaders":["x-c","x-d"],"maxAge":"86400s","allowCredentials":false,"unmatchedPreflights":"IGNORE"}
            """,
            """
            {"allow_origin_string_match":[{"exact":"https://a.test"},{"prefix":"https://b."},{"safe_regex":{"regex":"https://.*\\.c\\.test"}}],
             "allow_methods":"GET,POST","allow_headers":"x-a,x-b","expose_headers":"x-c,x-d","max_age":"86400","allow_credentials":false,
             "filter_enabled":{"default_value":{"numerator":100}},"forward_not_matching_preflights":false}
            """);

    [Fact]
    public void An_empty_cors_policy_is_on_and_forwards_preflights_that_match_nothing()
        => CorsShouldBe("{}", """{"filter_enabled":{"default_value":{"numerator":100}},"forward_not_matching_preflights":true}""");

    [Theory]
    [InlineData("\"allowOrigin\":[\"a.test\",\"*\"]", """{"exact":"a.test"},{"exact":"*"}""")]
    [InlineData("\"allowOrigin\":[\"a.test\"],\"allowOrigins\":[{\"exact\":\"b.test\"}]", """{"exact":"b.test"}""")]
    public void The_older_list_of_origins_counts_where_the_newer_is_absent(string origins, string expected)
        => CorsShouldBe($"{{{origins}}}", $$$"""
            {"allow_origin_string_match":[{{{expected}}}],"filter_enabled":{"default_value":{"numerator":100} },"forward_not_matching_preflights":true}
            """);

    [Fact]
    public void A_redirect_may_have_a_cors_policy()
        => new TestMesh(Service, TestDocuments.VirtualService("rule", """{"hosts":["reviews"],"http":[{"redirect":{"uri":"/a"},"corsPolicy":{}}]}"""))
            .Route(Reviews).TypedPerFilterConfig.Keys.ShouldBe(["envoy.filters.http.cors"]);
}
