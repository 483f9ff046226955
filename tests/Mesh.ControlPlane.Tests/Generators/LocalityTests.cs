using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>Priorities and weights by place. The mesh is that of istio.io's locality tasks: HelloWorld in four zones of three regions.</summary>
public class LocalityTests
{
    private const string HelloWorld = "outbound|5000||helloworld.default.svc.cluster.local";

    private static TestMesh Mesh(string policy, params ConfigResource[] more)
    {
        var mesh = new TestMesh(
        [
            TestDocuments.Service("helloworld", """{"name":"http","port":5000}""", "\"app\":\"helloworld\""),
            TestDocuments.DestinationRule("helloworld", $$"""{"host":"helloworld","trafficPolicy":{{policy}}}"""),
            .. more,
        ]);
        mesh.Register("a", "app=helloworld,version=v1", "http=10.0.0.1:5000", locality: "region1/zone1");
        mesh.Register("b", "app=helloworld,version=v2", "http=10.0.0.2:5000", locality: "region1/zone2");
        mesh.Register("c", "app=helloworld,version=v1", "http=10.0.0.3:5000", locality: "region2/zone3");
        mesh.Register("d", "app=helloworld,version=v2", "http=10.0.0.4:5000", locality: "region3/zone4");
        return mesh;
    }

    private static string Balancing(string setting, bool outlierDetection = true)
        => $$$"""{"loadBalancer":{"localityLbSetting":{{{setting}}}}{{{(outlierDetection ? ",\"outlierDetection\":{\"consecutive5xxErrors\":1}" : "")}}}}""";

    [Theory]
    [InlineData("region1/zone1", "p0 p1 p2 p3")]
    [InlineData("region1/zone2", "p1 p0 p2 p3")]
    [InlineData("region3/zone4", "p1 p1 p1 p0")]
    [InlineData("region2/zone3", "p1 p1 p0 p1")]
    [InlineData("region9", "p0 p0 p0 p0")]
    [InlineData("", "p0 p0 p0 p0")]
    public void Failover_goes_from_zone_to_region_to_the_next_region_to_the_rest(string client, string expected)
        => Priorities(Mesh(Balancing("""{"enabled":true,"failover":[{"from":"region1","to":"region2"}]}""")), TestMesh.At(client)).ShouldBe(expected);

    [Theory]
    [InlineData("region1/zone1", "p0 p1 p2 p2")]
    [InlineData("region2/zone3", "p1 p1 p0 p1")]
    public void Outlier_detection_alone_makes_near_endpoints_come_first(string client, string expected)
    {
        Priorities(Mesh("""{"outlierDetection":{}}"""), TestMesh.At(client)).ShouldBe(expected);
        Priorities(Mesh("""{"outlierDetection":{}}"""), TestMesh.At(client, kind: ProxyKind.Grpc)).ShouldBe(expected);
    }

    [Fact]
    public void A_sub_zone_is_nearer_than_its_zone()
    {
        var mesh = Mesh("""{"outlierDetection":{}}""");
        mesh.Register("e", "app=helloworld", "http=10.0.0.5:5000", locality: "region1/zone1/s1");
        mesh.Register("f", "app=helloworld", "http=10.0.0.6:5000", locality: "region1/zone1/s2");

        mesh.Places(HelloWorld, TestMesh.At("region1/zone1/s2")).ShouldBe(
        [
            "region1/zone1 p1 w1: 10.0.0.1",
            "region1/zone1/s1 p1 w1: 10.0.0.5",
            "region1/zone1/s2 p0 w1: 10.0.0.6",
            "region1/zone2 p2 w1: 10.0.0.2",
            "region2/zone3 p3 w1: 10.0.0.3",
            "region3/zone4 p3 w1: 10.0.0.4",
        ]);
    }

    [Theory]
    [InlineData("""{"failover":[{"from":"region1","to":"region2"}]}""", false)]
    [InlineData("""{"failoverPriority":["version"]}""", false)]
    [InlineData("""{"enabled":false}""", true)]
    [InlineData("""{"enabled":false,"distribute":[{"from":"*","to":{"region2/*":100}}]}""", true)]
    public void Nothing_fails_over_without_outlier_detection_or_when_it_is_switched_off(string setting, bool outlierDetection)
    {
        var mesh = Mesh(Balancing(setting, outlierDetection));

        mesh.Places(HelloWorld, TestMesh.At("region1/zone1", "version=v1")).ShouldBe(
        [
            "region1/zone1 p0 w1: 10.0.0.1",
            "region1/zone2 p0 w1: 10.0.0.2",
            "region2/zone3 p0 w1: 10.0.0.3",
            "region3/zone4 p0 w1: 10.0.0.4",
        ]);
        mesh.Cluster(HelloWorld).CommonLbConfig.LocalityWeightedLbConfig.ShouldBeNull();
    }

    [Fact]
    public void Traffic_is_distributed_by_shares_and_the_rest_gets_none()
    {
        var mesh = Mesh(Balancing(
            """{"distribute":[{"from":"region1/zone1/*","to":{"region1/zone1/*":70,"region1/zone2/*":20,"region3/zone4/*":10}}]}""",
            outlierDetection: false));

        mesh.Places(HelloWorld, TestMesh.At("region1/zone1")).ShouldBe(
        [
            "region1/zone1 p0 w70: 10.0.0.1",
            "region1/zone2 p0 w20: 10.0.0.2",
            "region3/zone4 p0 w10: 10.0.0.4",
        ]);
        mesh.Places(HelloWorld, TestMesh.At("region2/zone3")).Length.ShouldBe(4);
        mesh.Cluster(HelloWorld).CommonLbConfig.LocalityWeightedLbConfig.ShouldNotBeNull();
    }

    [Fact]
    public void Localities_below_one_pattern_divide_its_share_by_their_weights_rounded_up()
    {
        var mesh = Mesh(Balancing("""{"distribute":[{"from":"region1","to":{"region1":70,"*":30}}]}"""));
        mesh.Register("e", "app=helloworld", "http=10.0.0.5:5000", locality: "region1/zone2");

        // 70 × 1/3 and 70 × 2/3; the other two halve the 30.
        mesh.Places(HelloWorld, TestMesh.At("region1/zone1")).ShouldBe(
        [
            "region1/zone1 p0 w24: 10.0.0.1",
            "region1/zone2 p0 w47: 10.0.0.2 10.0.0.5",
            "region2/zone3 p0 w15: 10.0.0.3",
            "region3/zone4 p0 w15: 10.0.0.4",
        ]);
    }

    [Fact]
    public void The_first_distribution_that_covers_the_client_counts()
    {
        var mesh = Mesh(Balancing("""{"distribute":[{"from":"region1/zone1","to":{"region2":100}},{"from":"region1/zone2","to":{"region3":100}}]}"""));

        mesh.Places(HelloWorld, TestMesh.At("region1/zone1")).ShouldBe(["region2/zone3 p0 w100: 10.0.0.3"]);
        mesh.Places(HelloWorld, TestMesh.At("region1/zone2/x")).ShouldBe(["region3/zone4 p0 w100: 10.0.0.4"]);
    }

    [Fact]
    public void Failover_by_labels_splits_localities_and_counts_what_is_shared_from_the_first_label_on()
    {
        var mesh = Mesh(Balancing("""{"failoverPriority":["topology.kubernetes.io/region","topology.kubernetes.io/zone","version"]}"""));
        mesh.Register("e", "app=helloworld,version=v2", "http=10.0.0.5:5000", locality: "region1/zone1");

        mesh.Places(HelloWorld, TestMesh.At("region1/zone1", "version=v1")).ShouldBe(
        [
            "region1/zone1 p0 w1: 10.0.0.1",
            "region1/zone1 p1 w1: 10.0.0.5",
            "region1/zone2 p2 w1: 10.0.0.2",
            "region2/zone3 p3 w1: 10.0.0.3",
            "region3/zone4 p3 w1: 10.0.0.4",
        ]);
        mesh.Cluster(HelloWorld).CommonLbConfig.LocalityWeightedLbConfig.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("version=v1", "p0 p1 p0 p1")]
    [InlineData("version=v2", "p1 p0 p1 p0")]
    [InlineData("app=web", "p0 p0 p0 p0")]
    [InlineData("", "p0 p0 p0 p0")]
    public void A_label_that_the_client_lacks_is_shared_with_those_that_lack_it(string labels, string expected)
        => Priorities(Mesh(Balancing("""{"failoverPriority":["version"]}""")), TestMesh.At("", labels)).ShouldBe(expected);

    [Fact]
    public void A_label_with_a_value_takes_the_place_of_the_clients()
        => Priorities(Mesh(Balancing("""{"failoverPriority":["version=v2"]}""")), TestMesh.At("region1", "version=v1")).ShouldBe("p1 p0 p1 p0");

    [Fact]
    public void Another_network_comes_after_all_of_the_own()
    {
        var mesh = Mesh(Balancing("""{"failoverPriority":["topology.istio.io/network","topology.kubernetes.io/region"]}"""));
        mesh.Update("a", null);
        mesh.Update("b", null);
        mesh.Register("c", "app=helloworld,topology.istio.io/network=n2", "http=10.0.0.3:5000", locality: "region1");
        mesh.Register("d", "app=helloworld,topology.istio.io/network=n1", "http=10.0.0.4:5000", locality: "region3");
        mesh.Register("e", "app=helloworld,topology.istio.io/network=n1", "http=10.0.0.5:5000", locality: "region1");
        mesh.Register("f", "app=helloworld,topology.istio.io/network=n2", "http=10.0.0.6:5000", locality: "region3");

        mesh.Places(HelloWorld, TestMesh.At("region1", "topology.istio.io/network=n1")).ShouldBe(
        [
            "region1 p0 w1: 10.0.0.5",
            "region1 p2 w1: 10.0.0.3",
            "region3 p1 w1: 10.0.0.4",
            "region3 p3 w1: 10.0.0.6",
        ]);
    }

    [Fact]
    public void Labels_come_before_the_failover_of_regions()
        => Priorities(
            Mesh(Balancing("""{"failoverPriority":["version"],"failover":[{"from":"region1","to":"region2"}]}""")),
            TestMesh.At("region1/zone1", "version=v1")).ShouldBe("p0 p2 p1 p3");

    [Fact]
    public void Zone_aware_routing_keeps_the_region_at_one_priority_and_lets_the_others_stand_by()
    {
        var mesh = Mesh("""{"loadBalancer":{"zoneAwareLbSetting":{"minClusterSize":3,"failover":[{"from":"region1","to":"region3"}]}}}""");

        Priorities(mesh, TestMesh.At("region1/zone1")).ShouldBe("p0 p0 p2 p1");
        TestMesh.ShouldBeJson(mesh.Cluster(HelloWorld).CommonLbConfig, """{"zone_aware_lb_config":{"min_cluster_size":"3"}}""");
    }

    [Fact]
    public void Zone_aware_routing_that_is_switched_off_is_off_in_Envoy_as_well()
    {
        var mesh = Mesh("""{"loadBalancer":{"zoneAwareLbSetting":{"enabled":false}}}""");

        Priorities(mesh, TestMesh.At("region1/zone1")).ShouldBe("p0 p0 p0 p0");
        TestMesh.ShouldBeJson(mesh.Cluster(HelloWorld).CommonLbConfig, """{"zone_aware_lb_config":{"routing_enabled":{}}}""");
    }

    [Theory]
    [InlineData("PreferClose", "p0 p1 p2 p2")]
    [InlineData("PreferSameZone", "p0 p1 p2 p2")]
    [InlineData("", "p0 p0 p0 p0")]
    public void A_service_may_ask_to_keep_its_traffic_near(string distribution, string expected)
    {
        var service = TestDocuments.Service("helloworld", """{"name":"http","port":5000}""", "\"app\":\"helloworld\"");
        ((K8s.V1.ServiceSpec)service.Spec).TrafficDistribution = distribution;
        var mesh = new TestMesh(service);
        mesh.Register("a", "app=helloworld", "http=10.0.0.1:5000", locality: "region1/zone1");
        mesh.Register("b", "app=helloworld", "http=10.0.0.2:5000", locality: "region1/zone2");
        mesh.Register("c", "app=helloworld", "http=10.0.0.3:5000", locality: "region2/zone3");
        mesh.Register("d", "app=helloworld", "http=10.0.0.4:5000", locality: "region3/zone4");

        Priorities(mesh, TestMesh.At("region1/zone1")).ShouldBe(expected);
    }

    [Fact]
    public void A_subset_may_be_defined_by_the_place_of_its_workloads()
    {
        var mesh = Mesh(
            "{}",
            TestDocuments.DestinationRule("zones", """{"host":"helloworld","subsets":[{"name":"near","labels":{"topology.kubernetes.io/region":"region1","version":"v2"}}]}"""));

        mesh.Addresses("outbound|5000|near|helloworld.default.svc.cluster.local").ShouldBe(["10.0.0.2:5000"]);
    }

    [Fact]
    public void Failover_follows_the_policy_of_subset_and_port()
    {
        var mesh = Mesh(
            """{"loadBalancer":{"localityLbSetting":{"enabled":false}},"portLevelSettings":[{"port":{"number":5001},"outlierDetection":{}}]}""",
            TestDocuments.DestinationRule("subset", """{"host":"helloworld","subsets":[{"name":"all","trafficPolicy":{"outlierDetection":{},"loadBalancer":{"simple":"RANDOM"}}}]}"""));
        var client = TestMesh.At("region1/zone1");

        Priorities(mesh, client).ShouldBe("p0 p0 p0 p0");
        Priorities(mesh, client, "outbound|5000|all|helloworld.default.svc.cluster.local").ShouldBe("p0 p1 p2 p2");
    }

    private static string Priorities(TestMesh mesh, Proxy client, string cluster = HelloWorld)
    {
        SubsetKey.TryParse(cluster, out var key).ShouldBeTrue();
        var priorities = EndpointGenerator.Generate(client, mesh.Model, key).ShouldNotBeNull().Endpoints
            .SelectMany(group => group.LbEndpoints.Select(endpoint => (endpoint.Endpoint.Address.SocketAddress.Address, group.Priority)));
        return string.Join(' ', priorities.OrderBy(endpoint => endpoint.Address).Select(endpoint => $"p{endpoint.Priority}"));
    }
}
