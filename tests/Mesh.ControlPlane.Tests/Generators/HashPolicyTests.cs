using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What a DestinationRule hashes is said on the routes that lead to its clusters.</summary>
public class HashPolicyTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly ConfigResource Service = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static ConfigResource Hashing(string key)
        => TestDocuments.DestinationRule("reviews", $$$$$"""{"host":"reviews","trafficPolicy":{"loadBalancer":{"consistentHash":{{{{{{key}}}}}}}}}""");

    [Theory]
    [InlineData("\"httpHeaderName\":\"x-user\"", """{"header":{"header_name":"x-user"}}""")]
    [InlineData("\"httpCookie\":{\"name\":\"user\",\"path\":\"/p\",\"ttl\":\"3600s\"}", """{"cookie":{"name":"user","path":"/p","ttl":"3600s"}}""")]
    [InlineData("\"httpCookie\":{\"name\":\"user\",\"ttl\":\"0s\"}", """{"cookie":{"name":"user","ttl":"0s"}}""")]
    [InlineData("\"httpCookie\":{\"name\":\"user\",\"attributes\":[{\"name\":\"SameSite\",\"value\":\"Strict\"}]}", """{"cookie":{"name":"user","attributes":[{"name":"SameSite","value":"Strict"}]}}""")]
    [InlineData("\"useSourceIp\":true", """{"connection_properties":{"source_ip":true}}""")]
    [InlineData("\"httpQueryParameterName\":\"q\"", """{"query_parameter":{"name":"q"}}""")]
    public void Each_key_has_its_policy(string key, string expected)
        => TestMesh.ShouldBeJson(new TestMesh(Service, Hashing(key)).Route(Reviews).Route_.HashPolicy.ShouldHaveSingleItem(), expected);

    [Fact]
    public void Every_destination_of_a_route_adds_its_own()
    {
        var mesh = new TestMesh(
            Service,
            TestDocuments.DestinationRule("reviews", """
                {"host":"reviews","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"all"}}},"subsets":[
                  {"name":"v1","labels":{"version":"v1"}},
                  {"name":"v2","labels":{"version":"v2"},"trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"two"}}}}]}
                """),
            TestDocuments.VirtualService("rule", """
                {"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v1"},"weight":1},{"destination":{"host":"reviews","subset":"v2"},"weight":1}]}]}
                """));

        var action = mesh.Route(Reviews).Route_;

        action.HashPolicy.Select(policy => policy.Header.HeaderName).ShouldBe(["all", "two"]);
        action.RetryPolicy.RetryHostPredicate.ShouldHaveSingleItem();
    }

    [Fact]
    public void Settings_of_the_port_come_before_those_of_the_host()
        => new TestMesh(Service, TestDocuments.DestinationRule("reviews", """
            {"host":"reviews","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"host"}},"portLevelSettings":[
              {"port":{"number":9080},"loadBalancer":{"consistentHash":{"httpHeaderName":"port"}}}]}}
            """)).Route(Reviews).Route_.HashPolicy.ShouldHaveSingleItem().Header.HeaderName.ShouldBe("port");

    [Fact]
    public void A_gRPC_client_hashes_headers_only()
    {
        new TestMesh(Service, Hashing("\"httpHeaderName\":\"x-user\"")).Route(Reviews, TestMesh.Grpc).Route_.HashPolicy.ShouldHaveSingleItem();
        new TestMesh(Service, Hashing("\"useSourceIp\":true")).Route(Reviews, TestMesh.Grpc).Route_.HashPolicy.ShouldBeEmpty();
    }

    [Fact]
    public void Changing_what_is_hashed_touches_the_routes_that_lead_there()
    {
        var other = TestDocuments.Service("web", """{"name":"http","port":80}""");
        var rule = TestDocuments.VirtualService("rule", """{"hosts":["web"],"http":[{"route":[{"destination":{"host":"reviews"}}]}]}""");
        var mesh = new TestMesh(Service, other, rule);

        var change = mesh.Apply(Service, other, rule, Hashing("\"useSourceIp\":true"));

        change!.ByType[TypeUrls.RouteConfiguration].ShouldNotBeNull().ShouldContain(Reviews);
        change.ByType[TypeUrls.RouteConfiguration]!.ShouldContain("outbound|80||web.default.svc.cluster.local");
        mesh.Route("outbound|80||web.default.svc.cluster.local").Route_.HashPolicy.ShouldHaveSingleItem();
    }
}
