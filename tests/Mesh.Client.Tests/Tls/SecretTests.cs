using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.TestNet;
using Mesh.Xds.Client;

namespace Mesh.Client.Tests.Tls;

/// <summary>Certificates and authorities that the control plane sends as resources of their own.</summary>
public sealed class SecretTests
{
    private const string Host = "secure.example";
    private const string Address = "http://secure.example/";

    private static readonly Action<Envoy.Config.Cluster.V3.Cluster> OneRequestEach
        = OriginationWorld.Http(o => o.CommonHttpProtocolOptions = new() { MaxRequestsPerConnection = 1 });

    [Fact]
    public async Task A_cluster_is_there_when_its_secrets_have_been_answered()
    {
        await using var world = await OriginationWorld.StartAsync((options, _) => options.RequireClientCertificate = true);
        using var certificate = world.Net.Authority.Issue("client.example");
        world.Serve($"{Host}:80", Context(showsCertificate: true), OneRequestEach);
        var answer = world.GetAsync(Address);
        world.Mesh.Xds.Watched.ShouldContain((SecretType.Instance.TypeUrl, "authority"));
        world.Mesh.Xds.Watched.ShouldContain((SecretType.Instance.TypeUrl, "client"));

        world.Mesh.Xds.Set(SecretType.Instance, Authority(world.Net.Authority));
        answer.IsCompleted.ShouldBeFalse();
        world.Mesh.Xds.Set(SecretType.Instance, new Secret
        {
            Name = "client",
            TlsCertificate = new TlsCertificate
            {
                CertificateChain = new DataSource { InlineString = certificate.ExportCertificatePem() },
                PrivateKey = new DataSource { InlineString = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
            },
        });

        (await answer).Status.ShouldBe(200);
        world.Host.Seen.ShouldHaveSingleItem().ClientCertificate.ShouldBe("CN=client.example");
    }

    [Fact]
    public async Task A_secret_that_changes_counts_from_the_next_connection_on()
    {
        using var other = new TestCertificateAuthority("Another authority");
        await using var world = await OriginationWorld.StartAsync();
        world.Mesh.Xds.Set(SecretType.Instance, Authority(world.Net.Authority));
        world.Serve($"{Host}:80", Context(), OneRequestEach);
        (await world.GetAsync(Address)).Status.ShouldBe(200);

        world.Mesh.Xds.Set(SecretType.Instance, Authority(other));
        (await world.GetAsync(Address)).Body.ShouldContain("unable to get local issuer certificate");

        world.Mesh.Xds.Set(SecretType.Instance, Authority(world.Net.Authority));
        (await world.GetAsync(Address)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_the_cluster_says_of_names_holds_whatever_authority_the_secret_names()
    {
        await using var world = await OriginationWorld.StartAsync((options, net) => options.Certificate = _ => net.Authority.Issue("other.example"));
        world.Mesh.Xds.Set(SecretType.Instance, Authority(world.Net.Authority));
        world.Serve($"{Host}:80", Context());

        (await world.GetAsync(Address)).Body.ShouldEndWith("verify SAN list:TLS_error_end");
    }

    [Fact]
    public async Task Where_there_is_no_such_secret_there_is_no_connection()
    {
        await using var world = await OriginationWorld.StartAsync();
        world.Mesh.Xds.Fail(SecretType.Instance, "authority", ResourceErrorKind.DoesNotExist, "no such secret");
        world.Serve($"{Host}:80", Context());

        var answer = await world.GetAsync(Address);

        answer.Status.ShouldBe(503);
        answer.Body.ShouldEndWith("transport failure reason: TLS_error:|Secret is not supplied by SDS:TLS_error_end");
        world.Host.Seen.ShouldBeEmpty();
    }

    [Fact]
    public void A_key_that_cannot_be_read_is_refused_without_a_word_of_it()
    {
        var secret = new Secret
        {
            Name = "client",
            TlsCertificate = new TlsCertificate { CertificateChain = new DataSource { InlineString = "a chain" }, PrivateKey = new DataSource { InlineString = "very secret" } },
        };

        var refusal = Should.Throw<ResourceRejectedException>(() => SecretType.Instance.Decode(Google.Protobuf.MessageExtensions.ToByteString(secret), out _));

        refusal.Field.ShouldBe("tls_certificate");
        refusal.ToString().ShouldNotContain("very secret");
    }

    private static Secret Authority(TestCertificateAuthority authority)
        => new() { Name = "authority", ValidationContext = new CertificateValidationContext { TrustedCa = new DataSource { InlineString = authority.Pem } } };

    private static SdsSecretConfig Sds(string name) => new() { Name = name, SdsConfig = new ConfigSource { Ads = new AggregatedConfigSource() } };

    private static UpstreamTlsContext Context(bool showsCertificate = false)
    {
        var context = new UpstreamTlsContext
        {
            Sni = Host,
            CommonTlsContext = new CommonTlsContext
            {
                CombinedValidationContext = new CommonTlsContext.Types.CombinedCertificateValidationContext
                {
                    DefaultValidationContext = new CertificateValidationContext { MatchTypedSubjectAltNames = { OriginationWorld.Name(Host) } },
                    ValidationContextSdsSecretConfig = Sds("authority"),
                },
            },
        };
        if (showsCertificate)
        {
            context.CommonTlsContext.TlsCertificateSdsSecretConfigs.Add(Sds("client"));
        }

        return context;
    }
}
