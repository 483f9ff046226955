using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.ClientStatus;

namespace Mesh.Xds.Tests.ClientStatus;

/// <summary>Resources that are shown to others: as they are, but without secrets.</summary>
public class ShownResourcesTests
{
    private const string Key = "-----BEGIN PRIVATE KEY-----MIIsecret";

    private readonly ShownResources _shown = new();

    [Fact]
    public void What_has_no_secret_is_shown_to_the_byte()
    {
        var cluster = new Cluster { Name = "a", AltStatName = "b" }.ToByteString();
        _shown.Of(TypeUrls.Cluster, cluster).ShouldBe(new Any { TypeUrl = TypeUrls.Cluster, Value = cluster });
        _shown.Of(TypeUrls.Cluster, cluster).ShouldBeSameAs(_shown.Of(TypeUrls.Cluster, cluster), "clients have much in common");
        _shown.Of(TypeUrls.Cluster, null).ShouldBeNull();
    }

    [Fact]
    public void Keys_are_taken_out_be_they_text_or_bytes_and_certificates_stay()
    {
        var secret = new Secret
        {
            Name = "default",
            TlsCertificate = new TlsCertificate
            {
                CertificateChain = new DataSource { InlineString = "chain" },
                PrivateKey = new DataSource { InlineBytes = ByteString.CopyFromUtf8(Key) },
                Password = new DataSource { InlineString = "hush" },
            },
        };

        var shown = _shown.Of(TypeUrls.Secret, secret.ToByteString())!;
        shown.Value.ToStringUtf8().ShouldNotContain("secret");
        var certificate = shown.Unpack<Secret>().TlsCertificate;
        certificate.CertificateChain.InlineString.ShouldBe("chain");
        certificate.PrivateKey.InlineBytes.ToStringUtf8().ShouldBe("[redacted]");
        certificate.Password.InlineString.ShouldBe("[redacted]");
    }

    [Fact]
    public void Keys_are_found_however_deep_they_are_packed()
    {
        var cluster = new Cluster
        {
            Name = "a",
            TransportSocket = new TransportSocket
            {
                Name = "tls",
                TypedConfig = Any.Pack(new UpstreamTlsContext
                {
                    CommonTlsContext = new CommonTlsContext { TlsCertificates = { new TlsCertificate { PrivateKey = new DataSource { InlineBytes = ByteString.CopyFromUtf8(Key) } } } },
                }),
            },
        };

        var shown = _shown.Of(TypeUrls.Cluster, cluster.ToByteString())!;
        shown.Value.ToStringUtf8().ShouldNotContain("secret");
        var key = shown.Unpack<Cluster>().TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>().CommonTlsContext.TlsCertificates[0].PrivateKey;
        key.InlineBytes.ToStringUtf8().ShouldBe("[redacted]");
        shown.Unpack<Cluster>().Name.ShouldBe("a");
    }

    [Fact]
    public void What_cannot_be_looked_into_is_not_shown()
    {
        var unknown = new Cluster { TransportSocket = new TransportSocket { TypedConfig = new Any { TypeUrl = "type.googleapis.com/who.knows", Value = ByteString.CopyFromUtf8(Key) } } };
        _shown.Of(TypeUrls.Cluster, unknown.ToByteString()).ShouldBeNull();
        _shown.Of("type.googleapis.com/who.knows", ByteString.CopyFromUtf8(Key)).ShouldBeNull();
        _shown.Of(TypeUrls.Secret, ByteString.CopyFromUtf8("no protobuf")).ShouldBeNull();
    }
}
