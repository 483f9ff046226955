using Envoy.Config.Cluster.V3;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>TLS that begins at the client: what a DestinationRule says of it, as a cluster's transport socket.</summary>
public class UpstreamTlsTests
{
    private const string AutoNames = """{ "upstream_http_protocol_options": { "auto_sni": true, "auto_san_validation": true }, "explicit_http_config": { "http_protocol_options": { } } }""";

    private static readonly Proxy Envoy = new(ProxyKind.Mesh, "default", new Dictionary<string, string>(), isSidecar: true, isInProcess: false);

    private static Cluster With(string tls, string port = """{"number":80,"name":"http","protocol":"HTTP"}""", Proxy? proxy = null, string entry = "", string host = "api.example.com")
        => new TestMesh(
            TestDocuments.ServiceEntry("out", $$"""{"hosts":["{{host}}"],"location":"MESH_EXTERNAL","resolution":"STATIC","endpoints":[{"address":"192.0.2.1"}],"ports":[{{port}}]{{entry}}}"""),
            TestDocuments.DestinationRule("out", $$$"""{"host":"{{{host}}}","trafficPolicy":{"tls":{{{tls}}} }}"""))
            .Cluster($"outbound|{System.Text.Json.JsonDocument.Parse(port).RootElement.GetProperty("number")}||{host}", proxy);

    private static void ShouldBeSocket(Cluster cluster, string common, string sni = "")
        => TestMesh.ShouldBeJson(cluster.TransportSocket, $$$"""
            {"name":"envoy.transport_sockets.tls","typed_config":{
              "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
              "common_tls_context":{"tls_params":{"tls_minimum_protocol_version":"TLSv1_2","tls_maximum_protocol_version":"TLSv1_3"},{{{common}}}}
              {{{(sni.Length > 0 ? $",\"sni\":\"{sni}\"" : "")}}}}}
            """);

    [Fact]
    public void Simple_believes_the_systems_authorities_and_asks_for_the_host_of_the_request()
    {
        var cluster = With("""{"mode":"SIMPLE"}""");

        ShouldBeSocket(cluster, """ "validation_context":{"system_root_certs":{}} """);
        cluster.HttpOptions().ShouldBe(AutoNames);
    }

    [Fact]
    public void An_Envoy_reads_the_systems_authorities_from_their_file()
        => ShouldBeSocket(With("""{"mode":"SIMPLE","caCertificates":"system"}""", proxy: Envoy), """ "validation_context":{"trusted_ca":{"filename":"/etc/ssl/certs/ca-certificates.crt"}} """);

    [Fact]
    public void Mutual_shows_a_certificate_and_believes_the_named_authority()
    {
        var cluster = With("""{"mode":"MUTUAL","clientCertificate":"/c/tls.crt","privateKey":"/c/tls.key","caCertificates":"/c/ca.crt","caCrl":"/c/ca.crl"}""");

        ShouldBeSocket(cluster, """
            "tls_certificates":[{"certificate_chain":{"filename":"/c/tls.crt"},"private_key":{"filename":"/c/tls.key"}}],
            "validation_context":{"trusted_ca":{"filename":"/c/ca.crt"},"crl":{"filename":"/c/ca.crl"}}
            """);
        cluster.HttpOptions().ShouldBe(AutoNames);
    }

    [Fact]
    public void A_given_name_is_asked_for_and_must_be_the_certificates()
    {
        var cluster = With("""{"mode":"SIMPLE","sni":"inner.example.com"}""");

        ShouldBeSocket(cluster, """ "validation_context":{"system_root_certs":{},"match_subject_alt_names":[{"exact":"inner.example.com"}]} """, "inner.example.com");
        cluster.HttpOptions().ShouldBeNull();
    }

    [Fact]
    public void Names_of_the_rule_go_before_those_of_the_ServiceEntry_and_both_before_the_host()
    {
        const string auto = """{ "upstream_http_protocol_options": { "auto_sni": true }, "explicit_http_config": { "http_protocol_options": { } } }""";
        var entrys = With("""{"mode":"SIMPLE"}""", entry: ""","subjectAltNames":["spiffe://out/sa"]""");
        var rules = With("""{"mode":"SIMPLE","subjectAltNames":["a.example.com","b.example.com"]}""", entry: ""","subjectAltNames":["spiffe://out/sa"]""");

        ShouldBeSocket(entrys, """ "validation_context":{"system_root_certs":{},"match_subject_alt_names":[{"exact":"spiffe://out/sa"}]} """);
        ShouldBeSocket(rules, """ "validation_context":{"system_root_certs":{},"match_subject_alt_names":[{"exact":"a.example.com"},{"exact":"b.example.com"}]} """);
        entrys.HttpOptions().ShouldBe(auto);
        rules.HttpOptions().ShouldBe(auto);
    }

    [Fact]
    public void Whoever_answers_is_believed_where_the_rule_says_so_and_no_name_is_checked()
    {
        var cluster = With("""{"mode":"SIMPLE","insecureSkipVerify":true}""");

        ShouldBeSocket(cluster, """ "validation_context":{"trust_chain_verification":"ACCEPT_UNTRUSTED"} """);
        cluster.HttpOptions().ShouldBe("""{ "upstream_http_protocol_options": { "auto_sni": true }, "explicit_http_config": { "http_protocol_options": { } } }""");
    }

    [Theory]
    [InlineData("""{"number":443,"name":"tls","protocol":"TLS"}""")]
    [InlineData("""{"number":5432,"name":"tcp","protocol":"TCP"}""")]
    public void A_connection_without_a_request_asks_for_the_services_host(string port)
    {
        var cluster = With("""{"mode":"SIMPLE"}""", port);

        ShouldBeSocket(cluster, """ "validation_context":{"system_root_certs":{},"match_subject_alt_names":[{"exact":"api.example.com"}]} """, "api.example.com");
        cluster.HttpOptions().ShouldBeNull();
    }

    [Fact]
    public void On_an_HTTPS_port_a_library_knows_the_request_and_a_proxy_does_not()
    {
        const string port = """{"number":443,"name":"https","protocol":"HTTPS"}""";

        With("""{"mode":"SIMPLE"}""", port).HttpOptions().ShouldBe(AutoNames);
        With("""{"mode":"SIMPLE"}""", port, Envoy).HttpOptions().ShouldBeNull();
    }

    [Fact]
    public void Connections_to_a_wildcard_host_accept_the_names_below_it_only()
        => ShouldBeSocket(
            With("""{"mode":"SIMPLE","caCertificates":"/ca"}""", """{"number":9000,"name":"tcp","protocol":"TCP"}""", host: "*.example.com"),
            """ "validation_context":{"trusted_ca":{"filename":"/ca"},"match_subject_alt_names":[{"suffix":".example.com"}]} """);

    [Theory]
    [InlineData("HTTP2", "")]
    [InlineData("GRPC", "")]
    [InlineData("HTTP", ""","connectionPool":{"http":{"h2UpgradePolicy":"UPGRADE"}}""")]
    public void What_speaks_HTTP2_says_so_in_the_handshake(string protocol, string pool)
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("out", $$"""{"hosts":["a.example.com"],"resolution":"STATIC","endpoints":[{"address":"192.0.2.1"}],"ports":[{"number":80,"name":"p","protocol":"{{protocol}}"}]}"""),
            TestDocuments.DestinationRule("out", $$$"""{"host":"a.example.com","trafficPolicy":{"tls":{"mode":"SIMPLE"}{{{pool}}}}}"""));

        ShouldBeSocket(mesh.Cluster("outbound|80||a.example.com"), """ "validation_context":{"system_root_certs":{}},"alpn_protocols":["h2"] """);
    }

    [Fact]
    public void A_credential_is_asked_for_over_the_same_stream()
    {
        const string source = """ "sds_config":{"ads":{},"resource_api_version":"V3"} """;

        ShouldBeSocket(With("""{"mode":"MUTUAL","credentialName":"client"}"""), $$$"""
            "tls_certificate_sds_secret_configs":[{"name":"kubernetes://client",{{{source}}}}],
            "combined_validation_context":{"default_validation_context":{},
              "validation_context_sds_secret_config":{"name":"kubernetes://client-cacert",{{{source}}}}}
            """);
        ShouldBeSocket(With("""{"mode":"SIMPLE","credentialName":"kubernetes://vault/ca","sni":"x.example.com"}"""), $$$"""
            "combined_validation_context":{"default_validation_context":{"match_subject_alt_names":[{"exact":"x.example.com"}]},
              "validation_context_sds_secret_config":{"name":"kubernetes://vault/ca-cacert",{{{source}}}}}
            """, "x.example.com");
        ShouldBeSocket(With("""{"mode":"MUTUAL","credentialName":"client","insecureSkipVerify":true}"""), $$$"""
            "tls_certificate_sds_secret_configs":[{"name":"kubernetes://client",{{{source}}}}],
            "validation_context":{"trust_chain_verification":"ACCEPT_UNTRUSTED"}
            """);
    }

    [Theory]
    [InlineData("""{"mode":"DISABLE"}""")]
    public void Nothing_else_has_a_transport_socket(string tls) => With(tls).TransportSocket.ShouldBeNull();

    [Fact]
    public void A_gRPC_library_knows_neither_files_nor_secrets_and_is_sent_none()
        => With("""{"mode":"SIMPLE"}""", proxy: TestMesh.Grpc).TransportSocket.ShouldBeNull();

    [Fact]
    public void Ports_and_subsets_override_as_all_of_a_policy_does()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("a", """{"name":"http","port":80},{"name":"http-b","port":81}"""),
            TestDocuments.DestinationRule("a", """
                {"host":"a","trafficPolicy":{"tls":{"mode":"SIMPLE","sni":"all"},
                   "portLevelSettings":[{"port":{"number":81},"tls":{"mode":"SIMPLE","sni":"port"}}]},
                 "subsets":[{"name":"plain","trafficPolicy":{"tls":{"mode":"DISABLE"}}},{"name":"same","trafficPolicy":{"outlierDetection":{}}},
                   {"name":"own","trafficPolicy":{"portLevelSettings":[{"port":{"number":80},"loadBalancer":{"simple":"RANDOM"}}]}}]}
                """));

        Sni("outbound|80||").ShouldBe("all");
        Sni("outbound|81||").ShouldBe("port");
        Sni("outbound|80|plain|").ShouldBeNull();
        Sni("outbound|80|same|").ShouldBe("all");
        Sni("outbound|80|own|").ShouldBeNull("what a port's settings leave out has its default");

        string? Sni(string name)
            => mesh.Cluster($"{name}a.default.svc.cluster.local").TransportSocket?.TypedConfig.Unpack<global::Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext>().Sni;
    }
}
