using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Requests to ports where TLS is spoken: a library sees them before they are encrypted, a proxy sees the name in the handshake.</summary>
public class SniRouteTests
{
    private const string Name = "outbound|443||api.example.com";

    private static readonly ConfigResource Api = Entry("api", "api.example.com", """{"number":80,"name":"http","protocol":"HTTP"},{"number":443,"name":"tls","protocol":"TLS"}""");
    private static readonly ConfigResource Other = Entry("other", "other.example.com", """{"number":80,"name":"http","protocol":"HTTP"},{"number":443,"name":"https","protocol":"HTTPS"}""");

    private static ConfigResource Entry(string name, string host, string ports)
        => TestDocuments.ServiceEntry(name, $$"""{"hosts":["{{host}}"],"location":"MESH_EXTERNAL","resolution":"STATIC","endpoints":[{"address":"192.0.2.1"}],"ports":[{{ports}}]}""");

    private static ConfigResource Rule(string json, string host = "api.example.com", string name = "rule", int age = 0)
        => TestDocuments.VirtualService(name, $$"""{"hosts":["{{host}}"],{{json}}}""", age: age);

    private static string To(string host, string port = "443", int weight = 0)
        => $$$"""{"destination":{"host":"{{{host}}}","port":{"number":{{{port}}} }}{{{(weight > 0 ? $",\"weight\":{weight}" : "")}}}}""";

    private static string Tls(string route, string match = "", string sni = "api.example.com")
        => $$"""{"match":[{"sniHosts":["{{sni}}"]{{match}}}],"route":[{{route}}]}""";

    [Fact]
    public void Without_a_rule_every_request_goes_to_the_host()
        => new TestMesh(Api).RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com"]);

    [Fact]
    public void A_tls_route_takes_the_requests_for_its_name()
        => new TestMesh(Api, Other, Rule($"\"tls\":[{Tls(To("other.example.com"))}]")).RouteSummary(Name).ShouldBe(["/ -> outbound|443||other.example.com"]);

    [Fact]
    public void Weights_split_requests()
        => new TestMesh(Api, Other, Rule($"\"tls\":[{Tls($"{To("api.example.com", weight: 80)},{To("other.example.com", weight: 20)}")}]"))
            .RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com=80 outbound|443||other.example.com=20"]);

    [Fact]
    public void Http_routes_come_first_then_those_by_name_then_the_host()
    {
        const string http = """ "http":[{"match":[{"uri":{"prefix":"/v2"}}],"timeout":"3s","route":[{"destination":{"host":"other.example.com"}}]}] """;

        var mesh = new TestMesh(Api, Other, Rule($"{http},\"tls\":[{Tls(To("other.example.com"))}]"));
        mesh.RouteSummary(Name).ShouldBe(["/v2 -> outbound|443||other.example.com", "/ -> outbound|443||other.example.com"]);
        mesh.Route(Name).Route_.Timeout.Seconds.ShouldBe(3);

        new TestMesh(Api, Other, Rule(http)).RouteSummary(Name).ShouldBe(["/v2 -> outbound|443||other.example.com", "/ -> outbound|443||api.example.com"]);
    }

    [Theory]
    [InlineData(""","port":8443""")]
    [InlineData(""","gateways":["some-gateway"]""")]
    [InlineData(""","sourceNamespace":"elsewhere" """)]
    [InlineData(""","sourceLabels":{"app":"somebody"}""")]
    [InlineData(""","destinationSubnets":["198.51.100.0/24"]""")]
    public void A_match_for_others_is_passed_over(string match)
        => new TestMesh(Api, Other, Rule($"\"tls\":[{Tls(To("other.example.com"), match)}]")).RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com"]);

    [Theory]
    [InlineData(""","port":443""")]
    [InlineData(""","gateways":["mesh"]""")]
    [InlineData(""","sourceNamespace":"default" """)]
    [InlineData(""","sourceLabels":{"app":"web"}""")]
    public void A_match_for_the_client_counts(string match)
        => new TestMesh(Api, Other, Rule($"\"tls\":[{Tls(To("other.example.com"), match)}]"))
            .RouteSummary(Name, TestMesh.At("", "app=web")).ShouldBe(["/ -> outbound|443||other.example.com"]);

    [Fact]
    public void The_most_specific_name_wins_whatever_the_order()
    {
        var wild = Entry("wild", "*.example.org", """{"number":443,"name":"tls","protocol":"TLS"}""");
        var mesh = new TestMesh(wild, Api, Other, Rule(
            $"\"tls\":[{Tls(To("other.example.com"), sni: "*.example.org")},{Tls(To("api.example.com"), sni: "a.example.org")},{Tls(To("api.example.com"), sni: "*.eu.example.org")}]",
            "*.example.org"));

        var routes = mesh.Routes("outbound|443||*.example.org").VirtualHosts[0].Routes;
        routes.Select(route => (route.Match.Headers.SingleOrDefault()?.StringMatch.SafeRegex.Regex, route.Route_.Cluster)).ShouldBe(
        [
            (@"(?i)a\.example\.org(:443)?", "outbound|443||api.example.com"),
            (@"(?i).*\.eu\.example\.org(:443)?", "outbound|443||api.example.com"),
            (null, "outbound|443||other.example.com"),
        ]);
    }

    [Fact]
    public void Rules_of_one_host_add_up_and_the_older_one_wins()
        => new TestMesh(
            Api,
            Other,
            Rule($"\"tls\":[{Tls(To("other.example.com"))}]", name: "young"),
            Rule($"\"tls\":[{Tls(To("api.example.com"))}]", name: "old", age: 3)).RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com"]);

    [Fact]
    public void A_route_that_would_send_TLS_to_plain_text_was_not_meant_for_the_port()
    {
        var plain = Rule($$""" "http":[{"route":[{{To("other.example.com", "80")}}]}] """);
        new TestMesh(Api, Other, plain).RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com"]);
        new TestMesh(Api, Other, plain).RouteSummary("outbound|80||api.example.com").ShouldBe(["/ -> outbound|80||other.example.com"]);

        // … unless TLS begins there.
        var originated = TestDocuments.DestinationRule("tls", """{"host":"other.example.com","trafficPolicy":{"tls":{"mode":"SIMPLE"}}}""");
        new TestMesh(Api, Other, plain, originated).RouteSummary(Name).ShouldBe(["/ -> outbound|80||other.example.com"]);
    }

    [Fact]
    public void A_redirect_to_https_leaves_https_alone()
    {
        var mesh = new TestMesh(Api, Rule(""" "http":[{"redirect":{"scheme":"https"}}] """));

        mesh.RouteSummary(Name).ShouldBe(["/ -> outbound|443||api.example.com"]);
        mesh.Route("outbound|80||api.example.com").Redirect.ShouldNotBeNull();
    }

    [Fact]
    public void A_proxy_beside_the_application_is_sent_no_routes_for_what_it_cannot_read()
        => new TestMesh(Api, Other, Rule($"\"tls\":[{Tls(To("other.example.com"))}]"))
            .RouteSummary(Name, new Proxy(ProxyKind.Mesh, "default", new Dictionary<string, string>(), isSidecar: true, isInProcess: false))
            .ShouldBe(["/ -> outbound|443||api.example.com"]);
}
