using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>Every way in which xDS means the workload's own certificate and authorities, and those that mean two things at once.</summary>
public sealed class CertificateProviderInstanceTests
{
    private const string Own = """ "tls_certificate_provider_instance":{"instance_name":"default"} """;
    private const string Older = """ "tls_certificate_certificate_provider_instance":{"instance_name":"google_cloud_private_spiffe"} """;

    [Theory]
    [InlineData(Own, """ "validation_context":{"ca_certificate_provider_instance":{"instance_name":"x"}} """)]
    [InlineData(Older, """ "validation_context_certificate_provider_instance":{"instance_name":"default"} """)]
    [InlineData(Own, """ "combined_validation_context":{"default_validation_context":{"ca_certificate_provider_instance":{"instance_name":"default"}}} """)]
    [InlineData(Older, """ "combined_validation_context":{"validation_context_certificate_provider_instance":{"instance_name":"default"}} """)]
    [InlineData(
        """ "tls_certificate_sds_secret_configs":[{"name":"default","sds_config":{"path":"/x"}}] """,
        """ "combined_validation_context":{"default_validation_context":{},"validation_context_sds_secret_config":{"name":"ROOTCA"}} """)]
    [InlineData(Own, """ "validation_context_sds_secret_config":{"name":"ROOTCA"} """)]
    public void Is_the_workloads_own(string certificate, string validation)
    {
        var tls = Decode($$"""{{{certificate}},{{validation}}}""");

        tls.CertificateSecret.ShouldBe(new SecretReference("default", IsOwn: true));
        tls.ValidationSecret.ShouldBe(new SecretReference("ROOTCA", IsOwn: true));
        tls.IsMesh.ShouldBeTrue();
        tls.AsksForWorkload.ShouldBeTrue();
    }

    [Theory]
    [InlineData(""" "tls_certificate_provider_instance":{"instance_name":"a"},"tls_certificate_sds_secret_configs":[{"name":"default"}] """, "tls_certificate_sds_secret_configs")]
    [InlineData(""" "tls_certificate_certificate_provider_instance":{} """, "tls_certificate_certificate_provider_instance.instance_name")]
    [InlineData(""" "validation_context":{"trusted_ca":{"inline_string":"x"},"ca_certificate_provider_instance":{"instance_name":"a"}} """, "validation_context.ca_certificate_provider_instance")]
    [InlineData(
        """ "combined_validation_context":{"default_validation_context":{"ca_certificate_provider_instance":{"instance_name":"a"}},"validation_context_sds_secret_config":{"name":"other","sds_config":{"ads":{}}}} """,
        "combined_validation_context.default_validation_context.ca_certificate_provider_instance")]
    public void Two_answers_to_one_question_are_refused(string common, string field)
    {
        if (!common.Contains("validation_context"))
        {
            common += """,  "validation_context_sds_secret_config":{"name":"ROOTCA"} """;
        }

        Should.Throw<ResourceRejectedException>(() => Decode($$"""{{{common}}}""")).Field.ShouldBe("transport_socket.typed_config.common_tls_context." + field);
    }

    private static UpstreamTls Decode(string common)
    {
        var cluster = Resources.Cluster("c");
        cluster.TransportSocket = new() { Name = "tls", TypedConfig = Any.Pack(new UpstreamTlsContext { CommonTlsContext = CommonTlsContext.Parser.ParseJson(common) }) };
        return ((ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _)).Policy.Transport.Tls!;
    }
}
