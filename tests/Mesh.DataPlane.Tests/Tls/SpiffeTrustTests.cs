using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;
using TrustDomain = Envoy.Extensions.TransportSockets.Tls.V3.SPIFFECertValidatorConfig.Types.TrustDomain;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>Authorities that are believed for their own trust domain and for no other.</summary>
public sealed class SpiffeTrustTests
{
    private static readonly X509Certificate2 _east = Pki.Authority("east");
    private static readonly X509Certificate2 _west = Pki.Authority("west");

    [Fact]
    public async Task Every_trust_domain_has_its_own_authorities()
    {
        var between = Pki.Authority("between", _west);
        var context = Context(Domain("east", _east.ExportCertificatePem()), Domain("west", _west.ExportCertificatePem()));

        (await Judgement.OfAsync(context, Pki.Workload(_east, "spiffe://east/a"))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(_west, "spiffe://west/a"))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(between, "spiffe://west/a"), between)).ShouldBeNull();
        (await Judgement.OfAsync(CertificateValidationCompiler.Compile(context, "c"), Pki.Workload(_west, "spiffe://west/a"), [], isClient: true)).ShouldBeNull();
    }

    [Fact]
    public async Task No_authority_makes_workloads_of_another_trust_domain()
    {
        var between = Pki.Authority("between", _west);
        var context = Context(Domain("east", _east.ExportCertificatePem()), Domain("west", _west.ExportCertificatePem()));

        (await Judgement.OfAsync(context, Pki.Workload(_west, "spiffe://east/a")))!.Value.Reason.ShouldContain("X509_verify_cert");
        (await Judgement.OfAsync(context, Pki.Workload(between, "spiffe://east/a"), between))!.Value.Reason.ShouldContain("X509_verify_cert");
        (await Judgement.OfAsync(context, Pki.Workload(between, "spiffe://east/a"), between, _west))!.Value.Reason.ShouldContain("X509_verify_cert");
    }

    [Theory]
    [InlineData("spiffe://north/a")]
    [InlineData("spiffe://east")]
    [InlineData("https://east/a")]
    public async Task A_workload_of_no_known_trust_domain_is_nobody(string uri)
        => (await Judgement.OfAsync(Context(Domain("east", _east.ExportCertificatePem())), Pki.Workload(_east, uri)))!.Value.Reason.ShouldBe("no trust bundle store");

    [Fact]
    public async Task Names_are_asked_for_beside_the_authorities()
    {
        var context = Context(Domain("east", _east.ExportCertificatePem()));
        context.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Uri, Matcher = new() { Exact = "spiffe://east/a" } });

        (await Judgement.OfAsync(context, Pki.Workload(_east, "spiffe://east/a"))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(_east, "spiffe://east/b")))!.Value.Reason.ShouldBe("SAN match");
    }

    [Fact]
    public async Task What_a_trust_domain_has_taken_back_stands_among_its_authorities()
    {
        var good = Pki.Workload(_east, "spiffe://east/a");
        var bad = Pki.Workload(_east, "spiffe://east/a");
        var context = Context(
            Domain("east", _east.ExportCertificatePem() + "\n" + Pki.Revoke(_east, [bad])), Domain("west", _west.ExportCertificatePem()));

        (await Judgement.OfAsync(context, good)).ShouldBeNull();
        (await Judgement.OfAsync(context, bad))!.Value.Reason.ShouldEndWith("at depth 0: certificate revoked");
        (await Judgement.OfAsync(context, Pki.Workload(_west, "spiffe://west/a"))).ShouldBeNull();
    }

    [Fact]
    public async Task A_map_of_bundles_goes_before_the_list()
    {
        var context = Validator(new SPIFFECertValidatorConfig
        {
            TrustBundles = new DataSource { InlineString = Map(("east", _east), ("west", _west)) },
            TrustDomains = { Domain("east", _west.ExportCertificatePem()) },
        });

        (await Judgement.OfAsync(context, Pki.Workload(_east, "spiffe://east/a"))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(_west, "spiffe://west/a"))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(_west, "spiffe://east/a")))!.Value.Reason.ShouldContain("X509_verify_cert");
        (await Judgement.OfAsync(Validator(new SPIFFECertValidatorConfig { TrustBundles = new DataSource { InlineString = Map(("east", _east)) } }), Pki.Workload(_east, "spiffe://east/a")))
            .ShouldBeNull();
    }

    [Fact]
    public async Task Bundles_in_files_count_from_the_next_connection_on()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, _east.ExportCertificatePem());
            var validation = CertificateValidationCompiler.Compile(Validator(new SPIFFECertValidatorConfig { TrustDomains = { new TrustDomain { Name = "east", TrustBundle = new() { Filename = file } } } }), "c");
            var (old, young) = (Pki.Workload(_east, "spiffe://east/a"), Pki.Workload(_west, "spiffe://east/a"));
            (await Judgement.OfAsync(validation, old, [], false)).ShouldBeNull();
            (await Judgement.OfAsync(validation, young, [], false)).ShouldNotBeNull();

            await File.WriteAllTextAsync(file, _east.ExportCertificatePem() + "\n" + _west.ExportCertificatePem());
            (await Judgement.OfAsync(validation, old, [], false)).ShouldBeNull();
            (await Judgement.OfAsync(validation, young, [], false)).ShouldBeNull();

            await File.WriteAllTextAsync(file, _west.ExportCertificatePem()[..100]);
            (await Judgement.OfAsync(validation, old, [], false)).ShouldBeNull();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void What_it_cannot_ask_it_refuses()
    {
        var east = Domain("east", _east.ExportCertificatePem());
        Refused(Context(east, east)).ShouldBe("c.custom_validator_config.typed_config.trust_domains[1].name");
        Refused(Context(Domain("East", "x"))).ShouldBe("c.custom_validator_config.typed_config.trust_domains[0].name");
        Refused(Context(Domain("east/ns", "x"))).ShouldBe("c.custom_validator_config.typed_config.trust_domains[0].name");
        Refused(Context(new TrustDomain { Name = "east" })).ShouldBe("c.custom_validator_config.typed_config.trust_domains[0].trust_bundle");
        Refused(Context(new TrustDomain(east) { WorkloadTrustDomain = "west" })).ShouldBe("c.custom_validator_config.typed_config.trust_domains[0].workload_trust_domain");
        Refused(Context(Domain("east", "no PEM"))).ShouldBe("c.custom_validator_config.typed_config.trust_domains");
        Refused(Context()).ShouldBe("c.custom_validator_config.typed_config.trust_domains");
        Refused(Validator(new SPIFFECertValidatorConfig { TrustBundles = new() { InlineString = "{}" } })).ShouldBe("c.custom_validator_config.typed_config.trust_bundles");
        Refused(new CertificateValidationContext(Context(east)) { TrustedCa = new() { InlineString = _west.ExportCertificatePem() } }).ShouldBe("c.custom_validator_config");
        Refused(new CertificateValidationContext { CustomValidatorConfig = new() { Name = "mine", TypedConfig = Any.Pack(new StringValue()) } }).ShouldBe("c.custom_validator_config.typed_config");
        Refused(new CertificateValidationContext(Context(east))
        {
            MatchTypedSubjectAltNames = { new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Dns, Matcher = new() { Exact = "a" } } },
        }).ShouldBe("c.match_typed_subject_alt_names[0].san_type");
    }

    [Theory]
    [InlineData("""[]""")]
    [InlineData("""{"trust_domains": {}}""")]
    [InlineData("""{"trust_domains": {"EAST": {"keys": []}}}""")]
    [InlineData("""{"trust_domains": {"east": {}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": []}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": [{"use": "jwt-svid", "x5c": ["AA=="]}]}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": [{"use": "x509-svid", "x5c": []}]}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": [{"use": "x509-svid", "x5c": ["AA=="]}]}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": [{"use": "x509-svid", "x5c": ["?"]}]}}}""")]
    [InlineData("""{"trust_domains": {"east": {"keys": [{"use": "x509-svid"}]}}}""")]
    public void A_map_that_is_none_is_refused(string map)
        => Refused(Validator(new SPIFFECertValidatorConfig { TrustBundles = new() { InlineString = map } })).ShouldBe("c.custom_validator_config.typed_config.trust_bundles");

    internal static string Map(params (string Domain, X509Certificate2 Authority)[] domains)
        => JsonSerializer.Serialize(new
        {
            trust_domains = domains.ToDictionary(
                d => d.Domain, d => new { spiffe_sequence = 1, keys = new[] { new { kty = "EC", use = "x509-svid", x5c = new[] { Convert.ToBase64String(d.Authority.RawData) } } } }),
        });

    private static string Refused(CertificateValidationContext context) => Should.Throw<ResourceRejectedException>(() => CertificateValidationCompiler.Compile(context, "c")).Field;

    private static TrustDomain Domain(string name, string pem) => new() { Name = name, TrustBundle = new DataSource { InlineString = pem } };

    private static CertificateValidationContext Context(params TrustDomain[] domains) => Validator(new SPIFFECertValidatorConfig { TrustDomains = { domains } });

    private static CertificateValidationContext Validator(SPIFFECertValidatorConfig config)
        => new() { CustomValidatorConfig = new() { Name = "envoy.tls.cert_validator.spiffe", TypedConfig = Any.Pack(config) } };
}
