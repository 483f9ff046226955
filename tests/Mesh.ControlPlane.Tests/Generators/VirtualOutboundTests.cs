using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What an engine in a process is told about hosts that no service names. The virtual hosts are Istio's.</summary>
public class VirtualOutboundTests
{
    private const string RegistryOnly = """{"outboundTrafficPolicy":{"mode":"REGISTRY_ONLY"}}""";

    [Fact]
    public void A_mesh_without_a_MeshConfig_allows_any_host()
        => TestMesh.ShouldBeJson(VirtualOutbound.Generate(new TestMesh().Config.OutboundTrafficOf(TestMesh.Mesh), default), Listener("""
            {"name":"allow_any","domains":["*"],"include_request_attempt_count":true,
             "routes":[{"name":"allow_any","match":{"prefix":"/"},"route":{"cluster":"PassthroughCluster","timeout":"0s"}}]}
            """));

    [Fact]
    public void REGISTRY_ONLY_blocks_every_other_host()
        => TestMesh.ShouldBeJson(VirtualOutbound.Generate(new TestMesh(TestDocuments.MeshConfig(RegistryOnly)).Config.OutboundTrafficOf(TestMesh.Mesh), default), Listener("""
            {"name":"block_all","domains":["*"],"include_request_attempt_count":true,
             "routes":[{"name":"block_all","match":{"prefix":"/"},"direct_response":{"status":502}}]}
            """));

    [Fact]
    public void An_egress_proxy_takes_what_would_have_left_the_mesh()
        => TestMesh.ShouldBeJson(VirtualOutbound.Generate(new OutboundTraffic(true, new SubsetKey(3128, "v1", "egress.default.svc.cluster.local")), default), Listener("""
            {"name":"allow_any","domains":["*"],"include_request_attempt_count":true,
             "routes":[{"name":"allow_any","match":{"prefix":"/"},"route":{"cluster":"outbound|3128|v1|egress.default.svc.cluster.local","timeout":"0s"}}]}
            """));

    [Theory]
    [InlineData("""{}""", true)]
    [InlineData("""{"outboundTrafficPolicy":{"mode":"ALLOW_ANY"}}""", true)]
    [InlineData("""{"outboundTrafficPolicy":{"mode":"ALLOW_ANY_DYNAMIC_DNS"}}""", true)]
    [InlineData(RegistryOnly, false)]
    public void A_MeshConfig_says_which(string json, bool allowed)
        => new TestMesh(TestDocuments.MeshConfig(json)).Config.OutboundTrafficOf(TestMesh.Mesh).IsAllowed.ShouldBe(allowed);

    [Fact]
    public void A_Sidecar_says_it_for_the_workloads_that_it_selects_and_the_mesh_for_the_others()
    {
        var mesh = new TestMesh(
            TestDocuments.MeshConfig(RegistryOnly),
            TestDocuments.Sidecar("web", """{"workloadSelector":{"labels":{"app":"web"}},"outboundTrafficPolicy":{"mode":"ALLOW_ANY"}}"""),
            TestDocuments.Sidecar("job", """
                {"workloadSelector":{"labels":{"app":"job"}},"outboundTrafficPolicy":{"mode":"ALLOW_ANY","egressProxy":{"host":"egress.default.svc.cluster.local","subset":"v1","port":{"number":3128}}}}
                """),
            TestDocuments.Sidecar("batch", """{"egress":[{"hosts":["./*"]}],"workloadSelector":{"labels":{"app":"batch"}}}"""));

        mesh.Config.OutboundTrafficOf(TestMesh.At("", "app=web")).ShouldBe(OutboundTraffic.AllowAny);
        mesh.Config.OutboundTrafficOf(TestMesh.At("", "app=job")).EgressProxy.ToString().ShouldBe("outbound|3128|v1|egress.default.svc.cluster.local");
        mesh.Config.OutboundTrafficOf(TestMesh.At("", "app=batch")).ShouldBe(OutboundTraffic.RegistryOnly);
        mesh.Config.OutboundTrafficOf(TestMesh.Mesh).ShouldBe(OutboundTraffic.RegistryOnly);
    }

    [Fact]
    public void A_gRPC_client_is_not_told_since_it_would_refuse_a_route_that_answers_itself()
    {
        var cache = new ResourceCache();
        var model = new TestMesh(TestDocuments.MeshConfig(RegistryOnly)).Model;

        Get(cache, model, TestMesh.Grpc).ShouldBeNull();
        Get(cache, model, TestMesh.Mesh).ShouldNotBeNull();
    }

    [Fact]
    public void A_change_of_the_policy_is_a_change_of_the_listener_and_back_again_the_same_resource()
    {
        var cache = new ResourceCache();
        var mesh = new TestMesh();
        var allowed = Get(cache, mesh.Model, TestMesh.Mesh);

        mesh.Apply(TestDocuments.MeshConfig(RegistryOnly)).ShouldNotBeNull().ByType.Keys.ShouldContain(TypeUrls.Listener);
        var blocked = Get(cache, mesh.Model, TestMesh.Mesh);
        mesh.Apply();

        blocked!.Version.ShouldNotBe(allowed!.Version);
        Get(cache, mesh.Model, TestMesh.Mesh).ShouldBeSameAs(allowed);
    }

    [Fact]
    public void Of_two_MeshConfigs_the_older_one_is_in_force_and_the_other_is_told()
    {
        var mesh = new TestMesh(
            TestDocuments.MeshConfig("""{"outboundTrafficPolicy":{"mode":"ALLOW_ANY"}}""", "newer"),
            TestDocuments.MeshConfig(RegistryOnly, "older", age: 1));

        mesh.Config.OutboundTrafficOf(TestMesh.Mesh).IsAllowed.ShouldBeFalse();
        var told = mesh.Diagnostics.ShouldHaveSingleItem();
        told.Severity.ShouldBe(ConfigSeverity.Warning);
        told.Resource.ShouldBe("MeshConfig istio-system/newer");
        told.Message.ShouldContain("older.yaml:1");
    }

    private static AdsResource? Get(ResourceCache cache, MeshModel model, Proxy proxy)
        => cache.Get(model, proxy, TypeUrls.Listener, wildcard: false, [VirtualOutbound.Name]).SingleOrDefault();

    private static string Listener(string virtualHost) => $$$$"""
        {"name":"virtualOutbound",
         "address":{"socket_address":{"address":"0.0.0.0","port_value":15001}},
         "api_listener":{"api_listener":{
           "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
           "stat_prefix":"virtualOutbound",
           "route_config":{"name":"virtualOutbound","virtual_hosts":[{{{{virtualHost}}}}]},
           "http_filters":[
             {"name":"envoy.filters.http.fault","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"}},
             {"name":"envoy.filters.http.cors","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"}},
             {"name":"envoy.filters.http.router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}}
        """;
}
