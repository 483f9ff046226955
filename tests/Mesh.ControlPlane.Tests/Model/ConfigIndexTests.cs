using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Model;

public class ConfigIndexTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly Config.ConfigResource ReviewsService = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    [Theory]
    [InlineData("default", "reviews:9080", true)]
    [InlineData("default", "reviews", true)]
    [InlineData("default", "REVIEWS:9080", true)]
    [InlineData("prod", "reviews:9080", false)]
    [InlineData("prod", "reviews.default:9080", true)]
    [InlineData("prod", "reviews.default.svc", true)]
    [InlineData("prod", "reviews.default.svc.cluster.local:9080", true)]
    [InlineData("prod", "reviews.default.svc.cluster.local.", true)]
    [InlineData("default", "reviews:80", false)]
    [InlineData("default", "reviews:99999", false)]
    [InlineData("default", "reviews:", false)]
    [InlineData("default", ":9080", false)]
    [InlineData("default", "", false)]
    public void A_client_finds_a_service_by_any_of_its_names(string @namespace, string authority, bool found)
        => new TestMesh(ReviewsService).Config.Resolve(@namespace, authority)
            .ShouldBe(found ? new HostTarget("reviews.default.svc.cluster.local", 9080) : null);

    [Fact]
    public void A_request_without_port_means_80_before_the_only_HTTP_port()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("a", """{"name":"http-x","port":8080},{"name":"http","port":80}"""),
            TestDocuments.Service("b", """{"name":"http","port":8080},{"name":"tcp-db","port":5432}"""),
            TestDocuments.Service("c", """{"name":"http-x","port":8080},{"name":"http-y","port":8081}"""));

        mesh.Config.Resolve("default", "a")!.Value.Port.ShouldBe(80u);
        mesh.Config.Resolve("default", "b")!.Value.Port.ShouldBe(8080u);
        mesh.Config.Resolve("default", "c").ShouldBeNull();
    }

    [Fact]
    public void A_wildcard_host_answers_for_every_name_below_it_and_the_longest_wins()
    {
        const string Ports = "\"ports\":[{\"number\":443,\"name\":\"tls\",\"protocol\":\"TLS\"}],\"resolution\":\"STATIC\"";
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("wide", $$"""{"hosts":["*.example.com"],{{Ports}}}"""),
            TestDocuments.ServiceEntry("narrow", $$"""{"hosts":["*.eu.example.com"],{{Ports}}}"""),
            TestDocuments.ServiceEntry("exact", $$"""{"hosts":["api.eu.example.com"],{{Ports}}}"""));

        mesh.Config.Resolve("default", "www.example.com:443")!.Value.Host.ShouldBe("*.example.com");
        mesh.Config.Resolve("default", "www.eu.example.com:443")!.Value.Host.ShouldBe("*.eu.example.com");
        mesh.Config.Resolve("default", "api.eu.example.com:443")!.Value.Host.ShouldBe("api.eu.example.com");
        mesh.Config.Resolve("default", "example.com:443").ShouldBeNull();
    }

    [Fact]
    public void The_oldest_rule_of_a_host_wins_then_the_first_by_namespace_and_name()
    {
        static Config.ConfigResource Rule(string name, int age)
            => TestDocuments.VirtualService(name, $$$"""{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"{{{name}}}"}}]}]}""", age: age);

        new TestMesh(ReviewsService, Rule("a", 1), Rule("b", 2)).RouteSummary(Reviews)[0].ShouldContain("|b|");
        new TestMesh(ReviewsService, Rule("b", 1), Rule("a", 1)).RouteSummary(Reviews)[0].ShouldContain("|a|");
    }

    [Fact]
    public void The_most_specific_host_of_rules_wins_whatever_their_age()
    {
        static Config.ConfigResource Rule(string name, string host, int age)
            => TestDocuments.VirtualService(name, $$$"""{"hosts":["{{{host}}}"],"http":[{"route":[{"destination":{"host":"reviews","subset":"{{{name}}}"}}]}]}""", age: age);

        new TestMesh(ReviewsService, Rule("all", "*", 9), Rule("domain", "*.cluster.local", 8), Rule("namespace", "*.default.svc.cluster.local", 1))
            .RouteSummary(Reviews)[0].ShouldContain("|namespace|");
        new TestMesh(ReviewsService, Rule("all", "*", 9), Rule("exact", "reviews", 1)).RouteSummary(Reviews)[0].ShouldContain("|exact|");
    }

    [Fact]
    public void What_is_not_exported_to_a_namespace_does_not_exist_there()
    {
        var mesh = new TestMesh(
            ReviewsService,
            TestDocuments.VirtualService("private", """{"hosts":["reviews"],"exportTo":["."],"http":[{"route":[{"destination":{"host":"reviews","subset":"private"}}]}]}"""),
            TestDocuments.DestinationRule("shared", """{"host":"reviews","exportTo":["prod"],"subsets":[{"name":"v1"}]}"""),
            TestDocuments.ServiceEntry("ext", """{"hosts":["ext.example.com"],"exportTo":["prod"],"resolution":"STATIC","ports":[{"number":80,"name":"http","protocol":"HTTP"}]}"""));
        var service = mesh.Config.FindService("default", "reviews.default.svc.cluster.local").ShouldNotBeNull();

        mesh.Config.FindVirtualService("default", service.Host).ShouldNotBeNull();
        mesh.Config.FindVirtualService("prod", service.Host).ShouldBeNull();
        mesh.Config.FindDestinationRule("default", service).ShouldBeNull();
        mesh.Config.FindDestinationRule("prod", service).ShouldNotBeNull();
        mesh.Config.Resolve("default", "ext.example.com").ShouldBeNull();
        mesh.Config.Resolve("prod", "ext.example.com").ShouldNotBeNull();
    }

    [Fact]
    public void Destination_rules_of_one_host_and_namespace_merge_and_the_first_definition_wins()
    {
        var mesh = new TestMesh(
            ReviewsService,
            TestDocuments.DestinationRule("first", """{"host":"reviews","subsets":[{"name":"v1","labels":{"version":"v1"}}]}""", age: 2),
            TestDocuments.DestinationRule("second", """
                {"host":"reviews.default.svc.cluster.local","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}},
                 "subsets":[{"name":"v1","labels":{"version":"other"}},{"name":"v2","labels":{"version":"v2"}}]}
                """, age: 1));

        var rule = mesh.Config.FindDestinationRule("default", mesh.Config.FindService("default", "reviews.default.svc.cluster.local")!).ShouldNotBeNull();
        rule.SubsetNames.ShouldBe(["v1", "v2"]);
        rule.FindSubset("v1")!.Labels["version"].ShouldBe("v1");
        rule.TrafficPolicy.ShouldNotBeNull();
    }

    [Fact]
    public void The_clients_namespace_is_asked_for_a_destination_rule_before_the_services()
    {
        var mesh = new TestMesh(
            ReviewsService,
            TestDocuments.DestinationRule("theirs", """{"host":"reviews"}"""),
            TestDocuments.DestinationRule("ours", """{"host":"reviews.default.svc.cluster.local"}""", "prod"),
            TestDocuments.DestinationRule("root", """{"host":"*.cluster.local"}""", MeshSettings.DefaultRootNamespace));
        var service = mesh.Config.FindService("default", "reviews.default.svc.cluster.local")!;

        mesh.Config.FindDestinationRule("prod", service)!.Source.Name.ShouldBe("ours");
        mesh.Config.FindDestinationRule("test", service)!.Source.Name.ShouldBe("theirs");
    }

    [Fact]
    public void A_host_declared_in_two_namespaces_is_each_ones_own()
    {
        static Config.ConfigResource Entry(string @namespace, int port) => TestDocuments.ServiceEntry(
            "ext",
            $$$"""{"hosts":["ext.example.com"],"resolution":"STATIC","ports":[{"number":{{{port}}},"name":"http","protocol":"HTTP"}]}""",
            @namespace);
        var mesh = new TestMesh(Entry("one", 1), Entry("two", 2));

        mesh.Diagnostics.ShouldHaveSingleItem().File.ShouldBe("ext.yaml");
        mesh.Config.Resolve("one", "ext.example.com")!.Value.Port.ShouldBe(1u);
        mesh.Config.Resolve("two", "ext.example.com")!.Value.Port.ShouldBe(2u);
        mesh.Config.Resolve("three", "ext.example.com")!.Value.Port.ShouldBe(1u);
    }
}
