using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>The mesh's own mutual TLS at the client: clusters and endpoints with Istio's names.</summary>
public class MutualTlsTests
{
    private const string Name = "outbound|9080||reviews.default.svc.cluster.local";
    private const string Disable = """{"mtls":{"mode":"DISABLE"}}""";

    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");

    [Fact]
    public void Those_who_speak_mutual_TLS_are_spoken_to_so_and_the_others_in_clear_text()
        => TestMesh.ShouldBeJson(
            new Cluster { TransportSocketMatches = { Mesh(Reviews).Cluster(Name).TransportSocketMatches } },
            """
            {"transport_socket_matches":[
              {"name":"tlsMode-istio","match":{"tlsMode":"istio"},"transport_socket":{"name":"envoy.transport_sockets.tls","typed_config":{
                "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context":{
                  "tls_params":{"tls_minimum_protocol_version":"TLSv1_2","tls_maximum_protocol_version":"TLSv1_3"},
                  "tls_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                  "validation_context":{
                    "ca_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"},
                    "match_subject_alt_names":[{"exact":"spiffe://cluster.local/ns/default/sa/other"},{"exact":"spiffe://cluster.local/ns/default/sa/reviews"}]},
                  "alpn_protocols":["istio-http/1.1","istio"]},
                "sni":"outbound_.9080_._.reviews.default.svc.cluster.local"}}},
              {"name":"tlsMode-disabled","match":{},"transport_socket":{"name":"envoy.transport_sockets.raw_buffer","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}}]}
            """);

    [Theory]
    [InlineData("http2", "istio-h2 istio")]
    [InlineData("grpc", "istio-h2 istio")]
    [InlineData("http", "istio-http/1.1 istio")]
    [InlineData("", "istio-h2 istio-http/1.1 istio")]
    [InlineData("tcp", "istio")]
    [InlineData("https", "istio")]
    public void The_handshake_says_what_is_spoken_in_it(string port, string expected)
        => string.Join(' ', TlsOf(Mesh(TestDocuments.Service("reviews", $$"""{"name":"{{port}}","port":9080}""", "\"app\":\"reviews\"")).Cluster(Name)).CommonTlsContext.AlpnProtocols).ShouldBe(expected);

    [Fact]
    public void A_subset_has_a_name_of_its_own_to_ask_for()
        => TlsOf(Mesh(Reviews, Rule("""{"subsets":[{"name":"v1","labels":{"version":"v1"}}]}""")).Cluster("outbound|9080|v1|reviews.default.svc.cluster.local")).Sni.ShouldBe("outbound_.9080_.v1_.reviews.default.svc.cluster.local");

    [Fact]
    public void Accounts_are_believed_by_all_names_of_the_trust_domain()
        => SansOf(Mesh(Reviews, TestDocuments.MeshConfig("""{"trustDomain":"td","trustDomainAliases":["old"]}""")).Cluster(Name))
            .ShouldBe(["spiffe://old/ns/default/sa/other", "spiffe://old/ns/default/sa/reviews", "spiffe://td/ns/default/sa/other", "spiffe://td/ns/default/sa/reviews"]);

    [Fact]
    public void A_ServiceEntrys_names_are_believed_as_well()
    {
        var mesh = new TestMesh(TestDocuments.ServiceEntry("vm", """
            {"hosts":["vm.example.com"],"location":"MESH_INTERNAL","resolution":"STATIC","ports":[{"number":80,"name":"http","protocol":"HTTP"}],
             "endpoints":[{"address":"10.0.0.9","serviceAccount":"vm"}],"subjectAltNames":["spiffe://cluster.local/ns/vm/sa/vm"]}
            """));

        SansOf(mesh.Cluster("outbound|80||vm.example.com")).ShouldBe(["spiffe://cluster.local/ns/default/sa/vm", "spiffe://cluster.local/ns/vm/sa/vm"]);
        IsTold(mesh, "outbound|80||vm.example.com", "10.0.0.9").ShouldBeTrue();
    }

    [Fact]
    public void What_lies_outside_the_mesh_what_a_rule_says_otherwise_and_a_mesh_without_it_have_no_such_choice()
    {
        new TestMesh(TestDocuments.ServiceEntry("out", """{"hosts":["out.example.com"],"location":"MESH_EXTERNAL","resolution":"STATIC","ports":[{"number":80,"name":"http","protocol":"HTTP"}],"endpoints":[{"address":"192.0.2.1"}]}"""))
            .Cluster("outbound|80||out.example.com").TransportSocketMatches.ShouldBeEmpty();
        Mesh(Reviews, TestDocuments.MeshConfig("""{"enableAutoMtls":false}""")).Cluster(Name).TransportSocketMatches.ShouldBeEmpty();
        Mesh(Reviews, Rule("""{"trafficPolicy":{"tls":{"mode":"DISABLE"}}}""")).Cluster(Name).TransportSocketMatches.ShouldBeEmpty();
        Mesh(Reviews, TestDocuments.PeerAuthentication("off", Disable)).Cluster(Name).TransportSocketMatches.ShouldBeEmpty();
        Mesh(Reviews, TestDocuments.PeerAuthentication("off", Disable, "istio-system")).Cluster(Name).TransportSocketMatches.ShouldBeEmpty();
        Mesh(Reviews, Rule("""{"trafficPolicy":{"loadBalancer":{"simple":"PASSTHROUGH"}}}""")).Cluster(Name).TransportSocketMatches.ShouldBeEmpty();
    }

    [Fact]
    public void A_rule_may_ask_for_it_with_everybody_and_say_whom_to_believe()
    {
        var cluster = Mesh(Reviews, Rule("""{"trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL","sni":"inner","subjectAltNames":["spiffe://cluster.local/ns/x/sa/y"]}}}""")).Cluster(Name);

        cluster.TransportSocketMatches.ShouldBeEmpty();
        var tls = cluster.TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>();
        tls.Sni.ShouldBe("inner");
        SansOf(tls).ShouldBe(["spiffe://cluster.local/ns/x/sa/y"]);
    }

    [Fact]
    public void A_gRPC_client_speaks_it_only_where_a_rule_asks_for_it_as_with_istio()
    {
        Mesh(Reviews).Cluster(Name, TestMesh.Grpc).ShouldSatisfyAllConditions(
            cluster => cluster.TransportSocket.ShouldBeNull(),
            cluster => cluster.TransportSocketMatches.ShouldBeEmpty());
        TestMesh.ShouldBeJson(Mesh(Reviews, Rule("""{"trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL"}}}""")).Cluster(Name, TestMesh.Grpc).TransportSocket, """
            {"name":"envoy.transport_sockets.tls","typed_config":{
              "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
              "common_tls_context":{
                "tls_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                "tls_certificate_certificate_provider_instance":{"instance_name":"default","certificate_name":"default"},
                "combined_validation_context":{
                  "default_validation_context":{
                    "ca_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"},
                    "match_subject_alt_names":[{"exact":"spiffe://cluster.local/ns/default/sa/other"},{"exact":"spiffe://cluster.local/ns/default/sa/reviews"}]},
                  "validation_context_certificate_provider_instance":{"instance_name":"default","certificate_name":"ROOTCA"}}}}}
            """);
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData(Disable, "", false)]
    [InlineData("""{"selector":{"matchLabels":{"version":"v1"}},"mtls":{"mode":"DISABLE"}}""", "", false)]
    [InlineData("""{"selector":{"matchLabels":{"version":"v1"}},"mtls":{"mode":"STRICT"},"portLevelMtls":{"9080":{"mode":"DISABLE"}}}""", "", false)]
    [InlineData("", """{"trafficPolicy":{"tls":{"mode":"SIMPLE"}}}""", false)]
    [InlineData("""{"selector":{"matchLabels":{"version":"v1"}},"mtls":{"mode":"DISABLE"}}""", """{"trafficPolicy":{"tls":{"mode":"ISTIO_MUTUAL"}}}""", true)]
    public void An_endpoint_says_whether_it_is_spoken_to_so(string peer, string rule, bool expected)
    {
        var documents = new List<ConfigResource> { Reviews };
        if (peer.Length > 0)
        {
            documents.Add(TestDocuments.PeerAuthentication("p", peer));
        }

        if (rule.Length > 0)
        {
            documents.Add(Rule(rule));
        }

        var mesh = Mesh([.. documents]);

        IsTold(mesh, Name, "10.0.0.1").ShouldBe(expected);
        IsTold(mesh, Name, "10.0.0.2").ShouldBeFalse("it does not say that it speaks it");
    }

    [Fact]
    public void Another_account_is_told_by_the_cluster_and_another_endpoint_of_the_same_is_not()
    {
        var mesh = Mesh(Reviews);

        mesh.Update("r3", Workload("r3", "10.0.0.3", "reviews", "istio"))!.ByType.Keys.ShouldBe([TypeUrls.ClusterLoadAssignment]);
        mesh.Update("r4", Workload("r4", "10.0.0.4", "third", "istio"))!.ByType.Keys.ShouldBe([TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment]);
        mesh.Update("r4", null)!.ByType.Keys.ShouldBe([TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment]);
    }

    [Fact]
    public void A_policy_of_a_namespace_touches_the_clients_of_its_services_only()
    {
        var other = TestDocuments.Service("ratings", """{"name":"http","port":80}""", @namespace: "other");
        var mesh = Mesh(Reviews, other);

        var change = mesh.Apply(Reviews, other, TestDocuments.PeerAuthentication("p", Disable))!;
        change.ByType[TypeUrls.Cluster].ShouldBe([Name]);
        change.ByType[TypeUrls.ClusterLoadAssignment].ShouldBe([Name]);

        mesh.Apply(Reviews, other, TestDocuments.PeerAuthentication("p", Disable), TestDocuments.AuthorizationPolicy("a", "{}")).ShouldBeNull("only servers are told, and those by who they are");
        mesh.Apply(Reviews, other, TestDocuments.PeerAuthentication("p", Disable), TestDocuments.PeerAuthentication("mesh", Disable, "istio-system"))!.ByType[TypeUrls.Cluster]!.Count.ShouldBe(2);
    }

    private static ConfigResource Rule(string json)
        => TestDocuments.DestinationRule("reviews", json.Insert(1, "\"host\":\"reviews\","));

    private static TestMesh Mesh(params ConfigResource[] documents)
    {
        var mesh = new TestMesh(documents);
        mesh.Update("r1", Workload("r1", "10.0.0.1", "reviews", "istio"));
        mesh.Update("r2", Workload("r2", "10.0.0.2", "other", ""));
        return mesh;
    }

    private static WorkloadInstance Workload(string id, string ip, string account, string tlsMode) => new()
    {
        Id = id,
        Name = id,
        Namespace = "default",
        ServiceAccount = account,
        Labels = new Dictionary<string, string> { ["app"] = "reviews", ["version"] = "v1", ["security.istio.io/tlsMode"] = tlsMode },
        Addresses = new Dictionary<string, NetworkAddress> { ["9080"] = new NetworkAddress(ip, 41234) },
    };

    private static UpstreamTlsContext TlsOf(Cluster cluster) => cluster.TransportSocketMatches[0].TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>();

    private static string[] SansOf(Cluster cluster) => SansOf(TlsOf(cluster));

#pragma warning disable CS0612
    private static string[] SansOf(UpstreamTlsContext tls) => [.. tls.CommonTlsContext.ValidationContext.MatchSubjectAltNames.Select(name => name.Exact)];
#pragma warning restore CS0612

    private static bool IsTold(TestMesh mesh, string cluster, string ip)
    {
        SubsetKey.TryParse(cluster, out var key).ShouldBeTrue();
        var endpoint = EndpointGenerator.Generate(TestMesh.Mesh, mesh.Model, key)!.Endpoints.SelectMany(locality => locality.LbEndpoints)
            .Single(endpoint => endpoint.Endpoint.Address.SocketAddress.Address == ip);
        return endpoint.Metadata.FilterMetadata.TryGetValue("envoy.transport_socket_match", out var match) && match.Fields["tlsMode"].StringValue == "istio";
    }
}
