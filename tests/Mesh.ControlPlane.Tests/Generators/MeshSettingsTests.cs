using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Mesh.ControlPlane.Config.MeshWide;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What a MeshConfig says for the whole mesh, and what a rule of its own says instead.</summary>
public class MeshSettingsTests
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly Mesh.ControlPlane.Config.ConfigResource Service
        = TestDocuments.Service("reviews", """{"name":"http","port":9080,"targetPort":{"intVal":9080}}""", "\"app\":\"reviews\"");

    [Fact]
    public void Connections_take_the_meshs_time_and_keepalive_where_no_rule_says()
    {
        var mesh = new TestMesh(Service, TestDocuments.MeshConfig("""{"connectTimeout":"3s","tcpKeepalive":{"time":"7200s","probes":4}}"""));

        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(3);
        mesh.Cluster(Reviews).UpstreamConnectionOptions.TcpKeepalive.KeepaliveTime.ShouldBe(7200u);

        mesh.Apply(
            Service,
            TestDocuments.MeshConfig("""{"connectTimeout":"3s","tcpKeepalive":{"time":"7200s","probes":4}}"""),
            TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"connectionPool":{"tcp":{"connectTimeout":"1s"}}}}"""));
        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(1);
        mesh.Cluster(Reviews).UpstreamConnectionOptions.TcpKeepalive.KeepaliveProbes.ShouldBe(4u);
    }

    [Fact]
    public void A_mesh_without_settings_has_Istios_defaults()
    {
        var mesh = new TestMesh(Service);

        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(10);
        mesh.Cluster(Reviews).UpstreamConnectionOptions.ShouldBeNull();
        mesh.Cluster(Reviews).OutlierDetection.ShouldBeNull();
    }

    [Fact]
    public void Retries_are_the_meshs_where_a_route_does_not_say()
    {
        var settings = TestDocuments.MeshConfig("""{"defaultHttpRetryPolicy":{"attempts":5,"retryOn":"5xx"}}""");
        var mesh = new TestMesh(Service, settings);

        mesh.Route(Reviews).Route_.RetryPolicy.NumRetries.ShouldBe(5u);
        mesh.Route(Reviews).Route_.RetryPolicy.RetryOn.ShouldBe("5xx");

        mesh.Apply(Service, settings, TestDocuments.VirtualService("r", """{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews"}}]}]}"""));
        mesh.Route(Reviews).Route_.RetryPolicy.NumRetries.ShouldBe(5u);

        mesh.Apply(Service, settings, TestDocuments.VirtualService("r", """{"hosts":["reviews"],"http":[{"retries":{"attempts":1},"route":[{"destination":{"host":"reviews"}}]}]}"""));
        mesh.Route(Reviews).Route_.RetryPolicy.NumRetries.ShouldBe(1u);
    }

    [Fact]
    public void A_mesh_may_switch_retries_off()
        => new TestMesh(Service, TestDocuments.MeshConfig("""{"defaultHttpRetryPolicy":{"attempts":0}}""")).Route(Reviews).Route_.RetryPolicy.ShouldBeNull();

    [Fact]
    public void Outlier_detection_and_pool_of_the_mesh_are_for_services_without_their_own()
    {
        var settings = TestDocuments.MeshConfig("""
            {"defaultTrafficPolicy":{"outlierDetection":{"consecutive5xxErrors":7},"connectionPool":{"http":{"http2MaxRequests":9}}}}
            """);
        var mesh = new TestMesh(Service, settings);
        mesh.Cluster(Reviews).OutlierDetection.Consecutive5Xx.ShouldBe(7u);
        mesh.Cluster(Reviews).CircuitBreakers.Thresholds[0].MaxRequests.ShouldBe(9u);

        mesh.Apply(Service, settings, TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":2}}}"""));
        mesh.Cluster(Reviews).OutlierDetection.Consecutive5Xx.ShouldBe(2u);
        mesh.Cluster(Reviews).CircuitBreakers.Thresholds[0].MaxRequests.ShouldBe(9u);
    }

    [Fact]
    public void Places_are_preferred_as_the_mesh_says_unless_a_rule_does()
    {
        var settings = TestDocuments.MeshConfig("""{"localityLbSetting":{"distribute":[{"from":"eu/*","to":{"us/*":100}}]}}""");
        var mesh = new TestMesh(Service, settings);
        mesh.Register("here", "app=reviews", "http=10.0.0.1:9080", locality: "eu/a");
        mesh.Register("there", "app=reviews", "http=10.0.0.2:9080", locality: "us/a");

        mesh.Addresses(Reviews, TestMesh.At("eu/a")).ShouldBe(["10.0.0.2:9080"]);

        mesh.Apply(Service, settings, TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"loadBalancer":{"localityLbSetting":{"enabled":false}}}}"""));
        mesh.Addresses(Reviews, TestMesh.At("eu/a")).Length.ShouldBe(2);
    }

    [Fact]
    public void Locality_preference_can_be_switched_off_for_the_mesh()
    {
        var rule = TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"outlierDetection":{}}}""");
        var mesh = new TestMesh(Service, rule);
        mesh.Register("here", "app=reviews", "http=10.0.0.1:9080", locality: "eu/a");
        mesh.Register("there", "app=reviews", "http=10.0.0.2:9080", locality: "us/a");
        mesh.Places(Reviews, TestMesh.At("eu/a")).ShouldContain(place => place.Contains(" p1 "));

        mesh.Apply(Service, rule, TestDocuments.MeshConfig("""{"localityLbSetting":{"enabled":false}}"""));

        mesh.Places(Reviews, TestMesh.At("eu/a")).ShouldAllBe(place => place.Contains(" p0 "));
    }

    [Fact]
    public void Names_are_resolved_again_at_the_meshs_rate()
    {
        var entry = TestDocuments.ServiceEntry("books", """{"hosts":["books.example.com"],"ports":[{"number":80,"name":"http","protocol":"HTTP"}],"resolution":"DNS"}""");
        var mesh = new TestMesh(entry, TestDocuments.MeshConfig("""{"dnsRefreshRate":"5s"}"""));

#pragma warning disable CS0612
        mesh.Cluster("outbound|80||books.example.com").DnsRefreshRate.Seconds.ShouldBe(5);
#pragma warning restore CS0612
    }

    [Fact]
    public void Ports_of_HTTP_are_upgraded_when_the_mesh_says_so_and_their_rule_does_not_forbid_it()
    {
        var settings = TestDocuments.MeshConfig("""{"h2UpgradePolicy":"UPGRADE"}""");
        var mesh = new TestMesh(Service, settings);
        TestMesh.Json(mesh.Cluster(Reviews)).ShouldContain("http2_protocol_options");

        mesh.Apply(Service, settings, TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"connectionPool":{"http":{"h2UpgradePolicy":"DO_NOT_UPGRADE"}}}}"""));
        TestMesh.Json(mesh.Cluster(Reviews)).ShouldNotContain("http2_protocol_options");
    }

    [Fact]
    public void Who_does_not_say_to_whom_it_is_visible_is_visible_to_whom_the_mesh_says()
    {
        var mesh = new TestMesh(
            TestDocuments.MeshConfig("""{"defaultServiceExportTo":["."],"defaultVirtualServiceExportTo":["."],"defaultDestinationRuleExportTo":["."]}"""),
            Service,
            TestDocuments.DestinationRule("reviews", """{"host":"reviews","subsets":[{"name":"v1"}]}"""));

        mesh.Config.FindService("default", "reviews.default.svc.cluster.local").ShouldNotBeNull();
        mesh.Config.FindService("other", "reviews.default.svc.cluster.local").ShouldBeNull();

        mesh.Apply(Service);
        mesh.Config.FindService("other", "reviews.default.svc.cluster.local").ShouldNotBeNull();
    }

    [Fact]
    public void The_root_namespace_is_the_meshs()
    {
        var rule = TestDocuments.DestinationRule("all", """{"host":"*.local","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":3}}}}""", "everyone");
        var mesh = new TestMesh(Service, rule);
        mesh.Cluster(Reviews).CircuitBreakers.Thresholds[0].MaxConnections.ShouldBe(uint.MaxValue);

        mesh.Apply(Service, rule, TestDocuments.MeshConfig("""{"rootNamespace":"everyone"}"""));
        mesh.Cluster(Reviews).CircuitBreakers.Thresholds[0].MaxConnections.ShouldBe(3u);
    }

    [Theory]
    [InlineData("NONE", false, false, 0)]
    [InlineData("BASE", true, false, 0)]
    [InlineData("MERGE_SLASHES", true, true, 0)]
    [InlineData("DECODE_AND_MERGE_SLASHES", true, true, 4)]
    public void Path_normalization_is_on_the_wire(string type, bool normalize, bool merge, int slashes)
    {
        var manager = Manager(new TestMesh(Service, TestDocuments.MeshConfig($$$"""{"pathNormalization":{"normalization":"{{{type}}}"}}""")));

        manager.NormalizePath.ShouldBe(normalize);
        manager.MergeSlashes.ShouldBe(merge);
        ((int)manager.PathWithEscapedSlashesAction).ShouldBe(slashes);
    }

    [Theory]
    [InlineData("%SERVICE%", "reviews.default")]
    [InlineData("%SERVICE_FQDN%_%SERVICE_PORT%", "reviews.default.svc.cluster.local_9080")]
    [InlineData("%SERVICE_NAME%|%SERVICE_PORT_NAME%|%SUBSET_NAME%|%TARGET_PORT%", "reviews|http||9080")]
    [InlineData("all", "all")]
    [InlineData("", "")]
    public void Statistics_call_clusters_as_the_mesh_says(string pattern, string expected)
    {
        var mesh = new TestMesh(Service, TestDocuments.MeshConfig($$"""{"outboundClusterStatName":"{{pattern}}"}"""));

        mesh.Cluster(Reviews).AltStatName.ShouldBe(expected);
    }

    [Fact]
    public void Headers_of_the_proxy_can_be_left_out()
    {
        var mesh = new TestMesh(Service, TestDocuments.MeshConfig("""
            {"defaultConfig":{"proxyHeaders":{"attemptCount":{"disabled":true},"envoyDebugHeaders":{"disabled":true}}}}
            """));

        mesh.Routes(Reviews).VirtualHosts[0].IncludeRequestAttemptCount.ShouldBeFalse();
        Manager(mesh).HttpFilters[^1].TypedConfig.Unpack<Envoy.Extensions.Filters.Http.Router.V3.Router>().SuppressEnvoyHeaders.ShouldBeTrue();
    }

    [Fact]
    public void Every_kind_of_resource_follows_a_change_and_what_it_does_not_touch_stays_the_same_resource()
    {
        var cache = new ResourceCache();
        var mesh = new TestMesh(Service);
        mesh.Register("here", "app=reviews", "http=10.0.0.1:9080");
        var before = All();

        mesh.Apply(Service, TestDocuments.MeshConfig("""{"connectTimeout":"3s"}""")).ShouldNotBeNull().ByType.Keys.ShouldContain(TypeUrls.Secret);

        var after = All();
        after[TypeUrls.Cluster].Version.ShouldNotBe(before[TypeUrls.Cluster].Version);
        after[TypeUrls.RouteConfiguration].ShouldBeSameAs(before[TypeUrls.RouteConfiguration]);
        after[TypeUrls.ClusterLoadAssignment].ShouldBeSameAs(before[TypeUrls.ClusterLoadAssignment]);
        after[TypeUrls.Listener].Version.ShouldBe(before[TypeUrls.Listener].Version);

        Dictionary<string, Mesh.Xds.Serving.AdsResource> All() => new[] { TypeUrls.Cluster, TypeUrls.RouteConfiguration, TypeUrls.ClusterLoadAssignment, TypeUrls.Listener }
            .ToDictionary(type => type, type => cache.Get(mesh.Model, TestMesh.Mesh, type, false, [type == TypeUrls.Listener ? "reviews:9080" : Reviews]).Single());
    }

    [Fact]
    public void A_MeshConfig_of_ones_own_comes_before_the_ConfigMap_and_that_before_the_IstioOperator()
    {
        var own = TestDocuments.MeshConfig("""{"connectTimeout":"1s"}""", "own");
        var map = TestDocuments.MeshConfig("""{"connectTimeout":"2s"}""", "istio", age: 9) with { Kind = MeshKinds.ConfigMap, SpecPath = "data.mesh" };
        var installed = TestDocuments.MeshConfig("""{"connectTimeout":"3s"}""", "installed", age: 99) with { Kind = MeshKinds.IstioOperator, SpecPath = "spec.meshConfig" };

        var mesh = new TestMesh(Service, installed, map, own);
        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(1);
        mesh.Diagnostics.Select(d => (d.Resource, d.Path)).ShouldBe([("ConfigMap istio-system/istio", "data.mesh"), ("IstioOperator istio-system/installed", "spec.meshConfig")]);

        mesh.Apply(Service, installed, map);
        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(2);

        mesh.Apply(Service, installed);
        mesh.Cluster(Reviews).ConnectTimeout.Seconds.ShouldBe(3);
        mesh.Diagnostics.ShouldBeEmpty();
    }

    private static HttpConnectionManager Manager(TestMesh mesh)
        => ListenerGenerator.Generate(TestMesh.Mesh, mesh.Config.Mesh, "reviews:9080", mesh.Config.ScopeOf(TestMesh.Mesh).Resolve("reviews:9080").ShouldNotBeNull(), headers: mesh.Config.ProxyConfigs.Of(TestMesh.Mesh).EnvoyHeaders)
            .ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
}
