using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Analysis;

public class ModelAnalyzerTests
{
    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static readonly ConfigResource Subsets = TestDocuments.DestinationRule("reviews", """{"host":"reviews","subsets":[{"name":"v1"},{"name":"v2"}]}""");

    private static IReadOnlyList<ConfigDiagnostic> Analyze(params ConfigResource[] documents)
    {
        var diagnostics = new ModelDiagnostics();
        ModelAnalyzer.Analyze(TestDocuments.Snapshot(documents), new TestMesh(documents).Config, diagnostics);
        // An unknown subset is an error: a document that names one can do nothing but fail.
        diagnostics.Found.ShouldAllBe(found => found.Severity == (found.Path.EndsWith(".subset", StringComparison.Ordinal) ? ConfigSeverity.Error : ConfigSeverity.Warning));
        return diagnostics.Found;
    }

    private static ConfigResource Rule(string http, string name = "rule", int age = 0)
        => TestDocuments.VirtualService(name, $$"""{"hosts":["reviews"],"http":{{http}}}""", age: age);

    [Fact]
    public void Good_documents_are_left_in_peace()
        => Analyze(Reviews, Subsets, Rule("""
            [{"match":[{"headers":{"end-user":{"exact":"jason"}}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
             {"match":[{"sourceLabels":{"app":"web"}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
             {"route":[{"destination":{"host":"reviews","subset":"v1","port":{"number":9080}}}]}]
            """)).ShouldBeEmpty();

    [Theory]
    [InlineData("http", "tcp", "spec.tcp")]
    [InlineData("tls", "tcp", "spec.tcp")]
    [InlineData("tcp", "tls", "spec.tls")]
    public void Routes_of_connections_that_no_port_of_the_host_carries(string protocol, string kind, string path)
    {
        var match = kind == "tls" ? "\"match\":[{\"sniHosts\":[\"db\"]}]," : "";
        var found = Analyze(
            TestDocuments.Service("db", $$"""{"name":"{{protocol}}","port":3306}"""),
            TestDocuments.VirtualService("rule", $$$"""{"hosts":["db"],"{{{kind}}}":[{{{{match}}}"route":[{"destination":{"host":"db"}}]}]}""")).ShouldHaveSingleItem();

        found.Code.ShouldBe("MESH0004");
        found.Path.ShouldBe(path);
        found.Message.ShouldContain("3306");
    }

    [Fact]
    public void Routes_of_connections_to_a_port_that_an_older_service_has_taken()
    {
        var mine = TestDocuments.Service("mine", """{"name":"tcp","port":3306}""");
        var other = TestDocuments.Service("db", """{"name":"tcp","port":3306}""");
        var rule = TestDocuments.VirtualService("rule", """{"hosts":["mine"],"tcp":[{"route":[{"destination":{"host":"mine"}}]}]}""");

        var found = Analyze(mine, other, rule).ShouldHaveSingleItem();
        found.Message.ShouldContain("db.default.svc.cluster.local has the same port");
        Analyze(mine, TestDocuments.Service("zzz", """{"name":"tcp","port":3306}"""), rule).ShouldBeEmpty();
    }

    [Fact]
    public void A_destination_of_connections_that_nothing_declares()
        => Analyze(
            TestDocuments.Service("db", """{"name":"tcp","port":3306}"""),
            TestDocuments.VirtualService("rule", """{"hosts":["db"],"tcp":[{"route":[{"destination":{"host":"gone"}}]}]}"""))
            .ShouldHaveSingleItem().Path.ShouldBe("spec.tcp[0].route[0].destination.host");

    [Theory]
    [InlineData("grpc", "", true)]
    [InlineData("http2", "", true)]
    [InlineData("http", ",\"h2UpgradePolicy\":\"UPGRADE\"", true)]
    [InlineData("http", "", false)]
    public void A_limit_of_requests_per_connection_is_told_where_HTTP_2_makes_it_nothing(string port, string more, bool told)
    {
        var pool = "{\"connectionPool\":{\"http\":{\"maxRequestsPerConnection\":5" + more + "}}}";
        var found = Analyze(
            TestDocuments.Service("api", $$"""{"name":"{{port}}","port":9080}"""),
            TestDocuments.DestinationRule("api", $$"""{"host":"api","trafficPolicy":{{pool}},"subsets":[{"name":"v1","trafficPolicy":{"portLevelSettings":[{"port":{"number":9080},{{pool[1..]}} ]} }]}"""));

        found.Select(f => $"{f.Code} {f.Path}").ShouldBe(told
            ? ["MESH0004 spec.trafficPolicy.connectionPool.http.maxRequestsPerConnection", "MESH0004 spec.subsets[0].trafficPolicy.portLevelSettings[0].connectionPool.http.maxRequestsPerConnection"]
            : []);
    }

    [Fact]
    public void A_destination_that_nothing_declares()
    {
        var found = Analyze(Reviews, TestDocuments.Service("ratings", """{"port":1}""", @namespace: "prod"),
            Rule("""[{"route":[{"destination":{"host":"ratings"}}]}]""")).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.http[0].route[0].destination.host");
        found.File.ShouldBe("rule.yaml");
        found.Resource.ShouldBe("VirtualService default/rule");
        found.Message.ShouldContain("ratings.default.svc.cluster.local");
        found.Message.ShouldContain("did you mean ratings.prod.svc.cluster.local?");
    }

    [Fact]
    public void A_subset_that_the_destination_rule_does_not_define()
    {
        var found = Analyze(Reviews, Subsets, Rule("""[{"route":[{"destination":{"host":"reviews","subset":"v3"}}]}]""")).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.http[0].route[0].destination.subset");
        found.Message.ShouldContain("it has v1, v2");
    }

    [Fact]
    public void A_subset_without_any_destination_rule()
        => Analyze(Reviews, Rule("""[{"route":[{"destination":{"host":"reviews","subset":"v1"}}]}]""")).ShouldHaveSingleItem()
            .Message.ShouldContain("there is no DestinationRule");

    [Fact]
    public void A_port_that_the_service_does_not_have()
    {
        var found = Analyze(Reviews, Rule("""[{"route":[{"destination":{"host":"reviews","port":{"number":80}}}]}]""")).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.http[0].route[0].destination.port.number");
        found.Message.ShouldContain("it has 9080");
    }

    [Fact]
    public void A_destination_with_several_ports_of_which_none_is_named()
        => Analyze(Reviews, TestDocuments.Service("ratings", """{"name":"http-a","port":1},{"name":"http-b","port":2}"""),
            Rule("""[{"route":[{"destination":{"host":"ratings"}}]}]""")).ShouldHaveSingleItem().Code.ShouldBe("IST0112");

    [Fact]
    public void Two_rules_for_one_host_are_named_both()
    {
        var found = Analyze(
            Reviews,
            Rule("""[{"route":[{"destination":{"host":"reviews"}}]}]""", "old", 2),
            Rule("""[{"route":[{"destination":{"host":"reviews"}}]}]""", "new", 1)).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0109");
        found.Path.ShouldBe("spec.hosts[0]");
        found.File.ShouldBe("new.yaml");
        found.Message.ShouldContain("default/old");
        found.Message.ShouldContain("default/new");
    }

    [Fact]
    public void Weights_written_as_two_entries_split_nothing()
    {
        var found = Analyze(Reviews, Subsets, Rule("""
            [{"route":[{"destination":{"host":"reviews","subset":"v1"},"weight":70}]},
             {"route":[{"destination":{"host":"reviews","subset":"v2"},"weight":30}]}]
            """)).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0130");
        found.Path.ShouldBe("spec.http[1]");
        found.Message.ShouldContain("list both destinations under one route");
    }

    [Fact]
    public void An_entry_behind_one_that_takes_everything()
        => Analyze(Reviews, Rule("""
            [{"match":[{"uri":{"prefix":"/"}}],"route":[{"destination":{"host":"reviews"}}]},
             {"match":[{"uri":{"prefix":"/a"}}],"route":[{"destination":{"host":"reviews"}}]}]
            """)).ShouldHaveSingleItem().Message.ShouldContain("spec.http[0].match[0] already takes every request");

    [Fact]
    public void A_match_that_an_earlier_entry_repeats()
        => Analyze(Reviews, Rule("""
            [{"match":[{"uri":{"prefix":"/a"}}],"route":[{"destination":{"host":"reviews"}}]},
             {"match":[{"name":"again","uri":{"prefix":"/a"}},{"uri":{"prefix":"/b"}}],"route":[{"destination":{"host":"reviews"}}]}]
            """)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
                found => found.Code.ShouldBe("IST0131"),
                found => found.Path.ShouldBe("spec.http[1].match[0]"));

    [Theory]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"prefix":"/a/b"}}""", true)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"exact":"/ab"},"method":{"exact":"GET"}}""", true)]
    [InlineData("""{"uri":{"prefix":"/a/b"}}""", """{"uri":{"prefix":"/a"}}""", false)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"prefix":"/A/b"}}""", false)]
    [InlineData("""{"uri":{"prefix":"/a"},"ignoreUriCase":true}""", """{"uri":{"prefix":"/A/b"}}""", true)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"prefix":"/a/b"},"ignoreUriCase":true}""", false)]
    [InlineData("""{"uri":{"prefix":"/a"}}""", """{"uri":{"regex":"/a/.*"}}""", false)]
    [InlineData("""{"uri":{"regex":"/a/.*"}}""", """{"uri":{"regex":"/a/.*"},"headers":{"h":{}}}""", true)]
    [InlineData("""{"method":{"exact":"GET"}}""", """{"uri":{"prefix":"/a"},"method":{"exact":"GET"}}""", true)]
    [InlineData("""{"method":{"exact":"GET"}}""", """{"uri":{"prefix":"/a"},"method":{"exact":"PUT"}}""", false)]
    [InlineData("""{"headers":{"h":{}}}""", """{"headers":{"h":{"exact":"1"}}}""", true)]
    [InlineData("""{"headers":{"h":{"exact":"1"}}}""", """{"headers":{"h":{}}}""", false)]
    [InlineData("""{"headers":{"h":{"exact":"1"},"i":{}}}""", """{"headers":{"h":{"exact":"1"}}}""", false)]
    [InlineData("""{"withoutHeaders":{"h":{}}}""", """{"withoutHeaders":{"h":{},"i":{}}}""", true)]
    [InlineData("""{"withoutHeaders":{"h":{}}}""", """{"headers":{"i":{}}}""", false)]
    [InlineData("""{"queryParams":{"q":{"prefix":"1"}}}""", """{"queryParams":{"q":{"exact":"12"}}}""", true)]
    [InlineData("""{"port":80}""", """{"port":80,"uri":{"prefix":"/a"}}""", true)]
    [InlineData("""{"port":80}""", """{"uri":{"prefix":"/a"}}""", false)]
    [InlineData("""{"sourceLabels":{"a":"1"}}""", """{"sourceLabels":{"a":"1","b":"2"}}""", true)]
    [InlineData("""{"sourceLabels":{"a":"1"}}""", """{"sourceLabels":{"b":"2"}}""", false)]
    [InlineData("""{"sourceLabels":{"a":"1"}}""", """{"sourceLabels":{"a":"1"},"gateways":["mesh"],"uri":{"prefix":"/a"}}""", false)]
    [InlineData("""{"gateways":["mesh"]}""", """{"gateways":["mesh"],"uri":{"prefix":"/a"}}""", true)]
    [InlineData("""{"sourceNamespace":"x"}""", """{"sourceNamespace":"y"}""", false)]
    public void A_match_of_which_an_earlier_one_takes_everything(string first, string second, bool covered)
    {
        var found = Analyze(Reviews, Rule(
            """[{"match":[FIRST],"route":[{"destination":{"host":"reviews"}}]},{"match":[{"uri":{"exact":"/else"},"method":{"exact":"NO"},"port":1},SECOND],"route":[{"destination":{"host":"reviews"}}]}]"""
                .Replace("FIRST", first, StringComparison.Ordinal).Replace("SECOND", second, StringComparison.Ordinal)));

        found.Where(diagnostic => diagnostic.Path == "spec.http[1].match[1]").Select(diagnostic => $"{diagnostic.Code} {diagnostic.Message}")
            .ShouldBe(covered ? ["IST0131 is never used: spec.http[0].match[0] takes all that it matches and comes first"] : []);
    }

    [Fact]
    public void What_a_delegate_leaves_goes_on_to_the_next_entry()
        => Analyze(
            Reviews,
            Rule("""[{"delegate":{"name":"sub"}},{"match":[{"uri":{"prefix":"/a"}}],"delegate":{"name":"sub"}},{"match":[{"uri":{"prefix":"/a/b"}}],"route":[{"destination":{"host":"reviews"}}]}]"""),
            TestDocuments.VirtualService("sub", """{"http":[{"match":[{"uri":{"prefix":"/c"}}],"route":[{"destination":{"host":"reviews"}}]}]}""")).ShouldBeEmpty();

    [Fact]
    public void A_mirror_that_nothing_declares()
        => Analyze(Reviews, Rule("""
            [{"route":[{"destination":{"host":"reviews"}}],"mirror":{"host":"a"},"mirrors":[{"destination":{"host":"reviews","subset":"v9"}}]}]
            """)).Select(found => $"{found.Code} {found.Path}").ShouldBe(
            [
                "IST0101 spec.http[0].mirror.host",
                "IST0101 spec.http[0].mirrors[0].destination.subset",
            ]);

    [Fact]
    public void A_rule_and_a_destination_rule_for_a_service_that_is_not_there()
        => Analyze(Subsets, Rule("""[{"directResponse":{"status":200}}]"""))
            .Select(found => $"{found.Code} {found.File} {found.Path}")
            .ShouldBe(["IST0101 rule.yaml spec.hosts[0]", "IST0101 reviews.yaml spec.host"]);

    [Fact]
    public void A_subset_that_two_destination_rules_define()
    {
        var found = Analyze(
            Reviews,
            TestDocuments.DestinationRule("a", """{"host":"reviews","trafficPolicy":{},"subsets":[{"name":"v1"}]}""", age: 2),
            TestDocuments.DestinationRule("b", """{"host":"reviews","trafficPolicy":{},"subsets":[{"name":"v2"},{"name":"v1"}]}""", age: 1));

        found.Select(diagnostic => $"{diagnostic.File} {diagnostic.Path}").ShouldBe(["b.yaml spec.subsets[1]", "b.yaml spec.trafficPolicy"]);
    }

    [Fact]
    public void Rules_that_no_client_sees_both_of_or_that_ask_for_different_workloads_do_not_clash()
        => Analyze(
            Reviews,
            TestDocuments.DestinationRule("a", """{"host":"reviews","exportTo":["prod"],"subsets":[{"name":"v1"}]}"""),
            TestDocuments.DestinationRule("b", """{"host":"reviews","exportTo":["test"],"subsets":[{"name":"v1"}]}"""),
            TestDocuments.DestinationRule("c", """{"host":"reviews","workloadSelector":{"matchLabels":{"app":"web"}},"subsets":[{"name":"v1"}]}""")).ShouldBeEmpty();

    [Fact]
    public void Two_rules_for_the_same_workloads_clash()
        => Analyze(
            Reviews,
            TestDocuments.DestinationRule("a", """{"host":"reviews","workloadSelector":{"matchLabels":{"app":"web"}},"subsets":[{"name":"v1"}]}""", age: 1),
            TestDocuments.DestinationRule("b", """{"host":"reviews","workloadSelector":{"matchLabels":{"app":"web"}},"subsets":[{"name":"v1"}]}"""))
            .ShouldHaveSingleItem().File.ShouldBe("b.yaml");

    [Fact]
    public void A_subset_that_only_some_workloads_have_is_known()
        => Analyze(
            Reviews,
            TestDocuments.DestinationRule("a", """{"host":"reviews","workloadSelector":{"matchLabels":{"app":"web"}},"subsets":[{"name":"v1"}]}"""),
            Rule("""[{"route":[{"destination":{"host":"reviews","subset":"v1"}}]}]""")).ShouldBeEmpty();

    [Fact]
    public void Settings_for_a_port_that_the_service_does_not_have()
    {
        var found = Analyze(Reviews, TestDocuments.DestinationRule("a", """
            {"host":"reviews","subsets":[{"name":"v1","trafficPolicy":{"portLevelSettings":[{"port":{"number":9080}},{"port":{"number":80}}]}}]}
            """)).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.subsets[0].trafficPolicy.portLevelSettings[1].port.number");
        found.Message.ShouldContain("it has 9080");
    }

    [Fact]
    public void A_workload_entry_with_a_name_that_listed_endpoints_cannot_carry()
    {
        const string Ports = "\"ports\":[{\"number\":80,\"name\":\"http\",\"protocol\":\"HTTP\"}]";
        var entry = TestDocuments.WorkloadEntry("vm", """{"address":"vm.example.com","labels":{"app":"vm"}}""");
        ConfigResource Entry(string resolution)
            => TestDocuments.ServiceEntry("api", $$$$"""{"hosts":["api.example.com"],{{{{Ports}}}},"resolution":"{{{{resolution}}}}","workloadSelector":{"labels":{"app":"vm"}}}""");

        var found = Analyze(entry, Entry("STATIC")).ShouldHaveSingleItem();
        found.Path.ShouldBe("spec.address");
        found.Message.ShouldContain("api.example.com");
        Analyze(entry, Entry("DNS")).ShouldBeEmpty();
    }
}
