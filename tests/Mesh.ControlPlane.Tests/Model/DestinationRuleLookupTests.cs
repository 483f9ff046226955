using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Model;

/// <summary>Which DestinationRules a client is under, by its namespace and labels.</summary>
public class DestinationRuleLookupTests
{
    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static ConfigResource Rule(string name, string more = "", string host = "reviews.default.svc.cluster.local", string @namespace = "default", int age = 0)
        => TestDocuments.DestinationRule(name, $$"""{"host":"{{host}}","subsets":[{"name":"{{name}}"}]{{more}}}""", @namespace, age);

    private static string? Found(TestMesh mesh, string @namespace = "default", string labels = "")
    {
        var client = TestMesh.At("", labels, @namespace: @namespace);
        var rule = mesh.Config.FindDestinationRule(client.Namespace, mesh.Config.FindService("default", "reviews.default.svc.cluster.local")!, client.Labels);
        return rule is null ? null : string.Join(' ', rule.SubsetNames);
    }

    [Fact]
    public void Rules_for_some_workloads_are_for_those_alone()
    {
        var mesh = new TestMesh(
            Reviews,
            Rule("all", age: 3),
            Rule("web", ""","workloadSelector":{"matchLabels":{"app":"web"}}""", age: 2),
            Rule("web-again", ""","workloadSelector":{"matchLabels":{"app":"web"}}""", age: 1),
            Rule("web-v2", ""","workloadSelector":{"matchLabels":{"app":"web","version":"v2"}}"""));

        Found(mesh, labels: "app=web").ShouldBe("web web-again");
        Found(mesh, labels: "app=web,version=v2").ShouldBe("web web-again");
        Found(mesh, labels: "version=v2").ShouldBe("all");
        Found(mesh).ShouldBe("all");
        Found(mesh, "prod", "app=web").ShouldBe("all");
    }

    [Fact]
    public void Who_matches_no_selector_is_under_the_rules_further_off()
    {
        var mesh = new TestMesh(
            Reviews,
            Rule("service"),
            Rule("web", ""","workloadSelector":{"matchLabels":{"app":"web"}}""", @namespace: "prod"));

        Found(mesh, "prod", "app=web").ShouldBe("web");
        Found(mesh, "prod", "app=api").ShouldBe("service");
    }

    [Fact]
    public void Clients_that_see_the_same_rules_share_them()
    {
        var mesh = new TestMesh(Reviews, Rule("all", age: 1), Rule("prod", ""","exportTo":["prod"]"""));
        var service = mesh.Config.FindService("default", "reviews.default.svc.cluster.local")!;

        Found(mesh).ShouldBe("all");
        Found(mesh, "prod").ShouldBe("all prod");
        mesh.Config.FindDestinationRule("one", service).ShouldBeSameAs(mesh.Config.FindDestinationRule("two", service));
    }

    [Fact]
    public void The_most_specific_host_wins_within_a_namespace()
    {
        var mesh = new TestMesh(
            Reviews,
            Rule("everything", host: "*"),
            Rule("mesh", host: "*.cluster.local"),
            Rule("namespace", host: "*.default.svc.cluster.local"));

        Found(mesh).ShouldBe("namespace");
    }

    [Fact]
    public void A_wildcard_of_the_clients_namespace_goes_before_the_services_own_rule()
    {
        var mesh = new TestMesh(Reviews, Rule("service"), Rule("mine", host: "*", @namespace: "prod"));

        Found(mesh, "prod").ShouldBe("mine");
        Found(mesh, "test").ShouldBe("service");
    }

    [Fact]
    public void In_the_root_namespace_rules_for_everyone_come_last()
    {
        var mesh = new TestMesh(Reviews, Rule("service"), Rule("root", host: "*.local", @namespace: MeshSettings.DefaultRootNamespace));

        Found(mesh, MeshSettings.DefaultRootNamespace).ShouldBe("service");
        mesh.Apply(Reviews, Rule("service"), Rule("root", ""","exportTo":["."]""", "*.local", MeshSettings.DefaultRootNamespace));
        Found(mesh, MeshSettings.DefaultRootNamespace).ShouldBe("root");
        mesh.Apply(Reviews, Rule("root", host: "*.local", @namespace: MeshSettings.DefaultRootNamespace));
        Found(mesh, "prod").ShouldBe("root");
    }

    [Theory]
    [InlineData("outbound|9080||reviews.default.svc.cluster.local", "LeastRequest")]
    [InlineData("outbound|9081||reviews.default.svc.cluster.local", "Random")]
    [InlineData("outbound|9080|v1|reviews.default.svc.cluster.local", "RoundRobin")]
    [InlineData("outbound|9081|v1|reviews.default.svc.cluster.local", "RoundRobin")]
    [InlineData("outbound|9081|port|reviews.default.svc.cluster.local", "LeastRequest")]
    public void Subset_and_port_override_part_by_part(string cluster, string balancer)
    {
        var mesh = new TestMesh(
            TestDocuments.Service("reviews", """{"name":"http-a","port":9080},{"name":"http-b","port":9081}"""),
            TestDocuments.DestinationRule("reviews", """
                {"host":"reviews","trafficPolicy":{"outlierDetection":{},"retryBudget":{},"connectionPool":{"tcp":{"maxConnections":5}},
                   "portLevelSettings":[{"port":{"number":9081},"loadBalancer":{"simple":"RANDOM"}}]},
                 "subsets":[
                  {"name":"v1","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"}}},
                  {"name":"port","trafficPolicy":{"portLevelSettings":[{"port":{"number":9081},"connectionPool":{"tcp":{"maxConnections":7}}}]}}]}
                """));

        var found = mesh.Cluster(cluster);

        found.LbPolicy.ToString().ShouldBe(balancer);

        // Settings for a port inherit nothing of the policy that they stand in; a subset inherits what it leaves out.
        (found.OutlierDetection is not null).ShouldBe(cluster.Contains("9080", StringComparison.Ordinal));
        (found.CircuitBreakers.Thresholds[0].RetryBudget is not null).ShouldBe(cluster.Contains("9080", StringComparison.Ordinal));
        found.CircuitBreakers.Thresholds[0].MaxConnections.ShouldBe(
            cluster.Contains("|port|", StringComparison.Ordinal) ? 7u : cluster.Contains("9080", StringComparison.Ordinal) ? 5u : uint.MaxValue);
    }

    [Fact]
    public void A_rule_for_some_workloads_changes_the_clusters_of_its_host()
    {
        var mesh = new TestMesh(Reviews);

        var change = mesh.Apply(Reviews, Rule("web", ""","workloadSelector":{"matchLabels":{"app":"web"}}""")).ShouldNotBeNull();

        change.ByType[TypeUrls.Cluster].ShouldNotBeNull().ShouldBe(
            ["outbound|9080||reviews.default.svc.cluster.local", "outbound|9080|web|reviews.default.svc.cluster.local"],
            ignoreOrder: true);
    }
}
