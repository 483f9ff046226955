using Envoy.Config.Cluster.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Extensions.Upstreams.Http.V3;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What a rule says of TLS, as it reaches those who speak it.</summary>
public class UpstreamTlsTests
{
    private const string Options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    [Fact]
    public void Simple_trusts_the_system_and_goes_by_the_host_of_each_request()
    {
        var cluster = With("""{"mode":"SIMPLE"}""");

        cluster.TransportSocket.Name.ShouldBe("envoy.transport_sockets.tls");
        TestMesh.ShouldBeJson(Context(cluster), """{"common_tls_context":{"validation_context":{"system_root_certs":{}}}}""");
        TestMesh.ShouldBeJson(
            cluster.TypedExtensionProtocolOptions[Options].Unpack<HttpProtocolOptions>().UpstreamHttpProtocolOptions,
            """{"auto_sni":true,"auto_san_validation":true}""");
    }

    [Fact]
    public void A_server_name_is_what_the_certificate_must_be_for()
    {
        var cluster = With("""{"mode":"SIMPLE","sni":"inner.example","caCertificates":"/ca.pem"}""");

        TestMesh.ShouldBeJson(Context(cluster), """
            {"common_tls_context":{"validation_context":{"trusted_ca":{"filename":"/ca.pem"},
              "match_typed_subject_alt_names":[{"san_type":"DNS","matcher":{"exact":"inner.example"}}]}},"sni":"inner.example"}
            """);
        cluster.TypedExtensionProtocolOptions.ShouldNotContainKey(Options);
    }

    [Fact]
    public void Names_are_of_the_kind_that_they_look_like_and_the_rules_come_before_the_services()
    {
        TestMesh.ShouldBeJson(
            Context(With("""{"mode":"SIMPLE","subjectAltNames":["a.example","spiffe://td/a","10.0.0.1"]}""")).CommonTlsContext.ValidationContext,
            """
            {"system_root_certs":{},"match_typed_subject_alt_names":[{"san_type":"DNS","matcher":{"exact":"a.example"}},
              {"san_type":"URI","matcher":{"exact":"spiffe://td/a"}},{"san_type":"IP_ADDRESS","matcher":{"exact":"10.0.0.1"}}]}
            """);
        TestMesh.ShouldBeJson(
            Context(With("""{"mode":"SIMPLE"}""", subjectAltNames: ""","subjectAltNames":["b.example"]""")).CommonTlsContext.ValidationContext,
            """{"system_root_certs":{},"match_typed_subject_alt_names":[{"san_type":"DNS","matcher":{"exact":"b.example"}}]}""");
    }

    [Fact]
    public void Mutual_shows_the_clients_files()
        => TestMesh.ShouldBeJson(
            Context(With("""{"mode":"MUTUAL","clientCertificate":"/c.pem","privateKey":"/k.pem"}""")).CommonTlsContext.TlsCertificates[0],
            """{"certificate_chain":{"filename":"/c.pem"},"private_key":{"filename":"/k.pem"}}""");

    [Fact]
    public void Whoever_answers_is_believed_only_where_the_rule_says_so()
        => TestMesh.ShouldBeJson(
            Context(With("""{"mode":"SIMPLE","insecureSkipVerify":true}""")),
            """{"common_tls_context":{"validation_context":{"trust_chain_verification":"ACCEPT_UNTRUSTED"}}}""");

    [Fact]
    public void Http2_is_agreed_on()
        => Context(With("""{"mode":"SIMPLE"}""", "HTTP2")).CommonTlsContext.AlpnProtocols.ShouldBe(["h2"]);

    [Fact]
    public void A_port_that_is_not_HTTP_asks_for_the_services_host()
    {
        var context = Context(With("""{"mode":"SIMPLE"}""", "TCP"));

        context.Sni.ShouldBe("out.example");
        context.CommonTlsContext.ValidationContext.MatchTypedSubjectAltNames.ShouldHaveSingleItem().Matcher.Exact.ShouldBe("out.example");
    }

    [Theory]
    [InlineData("""{"tls":{"mode":"SIMPLE"},"portLevelSettings":[{"port":{"number":80},"tls":{"mode":"DISABLE"}}]}""")]
    [InlineData("""{"portLevelSettings":[{"port":{"number":81},"tls":{"mode":"SIMPLE"}}]}""")]
    public void A_port_may_differ(string policy) => WithPolicy(policy).TransportSocket.ShouldBeNull();

    private static UpstreamTlsContext Context(Cluster cluster) => cluster.TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>();

    private static Cluster With(string tls, string protocol = "HTTP", string subjectAltNames = "") => WithPolicy($$"""{"tls":{{tls}}}""", protocol, subjectAltNames);

    private static Cluster WithPolicy(string policy, string protocol = "HTTP", string subjectAltNames = "")
        => new TestMesh(
            TestDocuments.ServiceEntry("out", $$"""{"hosts":["out.example"],"ports":[{"number":80,"name":"p","protocol":"{{protocol}}"}],"resolution":"DNS"{{subjectAltNames}}}"""),
            TestDocuments.DestinationRule("out", $$"""{"host":"out.example","trafficPolicy":{{policy}}}"""))
            .Cluster("outbound|80||out.example", TestMesh.Mesh);
}
