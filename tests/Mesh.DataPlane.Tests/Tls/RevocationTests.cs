using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>Certificates that their authority has taken back.</summary>
public sealed class RevocationTests
{
    private const string Depth0 = "X509_verify_cert: certificate verification error at depth 0: ";
    private static readonly X509Certificate2 _root = Pki.Authority("root");

    public static TheoryData<string> Keys => ["EC P-256", "EC P-384", "RSA", "RSA-PSS"];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_certificate_that_was_taken_back_is_refused(string kind)
    {
        var root = Pki.Authority("root", key: kind switch
        {
            "EC P-256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "EC P-384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => RSA.Create(2048),
        });
        var (good, bad) = (Pki.Workload(root, "spiffe://td/a"), Pki.Workload(root, "spiffe://td/a"));
        var context = Context(Pki.Revoke(root, [bad], padding: kind == "RSA-PSS" ? RSASignaturePadding.Pss : null), root);

        (await Judgement.OfAsync(context, good)).ShouldBeNull();
        (await Judgement.OfAsync(context, bad))!.Value.Reason.ShouldBe(Depth0 + "certificate revoked");
        (await Judgement.OfAsync(CertificateValidationCompiler.Compile(context, "c"), bad, [], isClient: true))!.Value.Reason.ShouldBe(Depth0 + "certificate revoked");
    }

    [Fact]
    public async Task Whoever_signs_for_an_authority_may_be_taken_back_as_well()
    {
        var between = Pki.Authority("between", _root);
        var workload = Pki.Workload(between, "spiffe://td/a");
        var context = Context(Pki.Revoke(between, []) + "\n" + Pki.Revoke(_root, [between]));

        (await Judgement.OfAsync(context, workload, between))!.Value.Reason.ShouldEndWith("at depth 1: certificate revoked");

        context.OnlyVerifyLeafCertCrl = true;
        (await Judgement.OfAsync(context, workload, between)).ShouldBeNull();
    }

    [Fact]
    public async Task Once_there_is_a_list_every_authority_must_have_one()
    {
        var between = Pki.Authority("between", _root);
        var workload = Pki.Workload(between, "spiffe://td/a");

        (await Judgement.OfAsync(Context(Pki.Revoke(_root, [])), workload, between))!.Value.Reason.ShouldBe(Depth0 + "unable to get certificate CRL");
        (await Judgement.OfAsync(Context(Pki.Revoke(between, [])), workload, between))!.Value.Reason.ShouldEndWith("at depth 1: unable to get certificate CRL");
        (await Judgement.OfAsync(new CertificateValidationContext(Context(Pki.Revoke(between, []))) { OnlyVerifyLeafCertCrl = true }, workload, between)).ShouldBeNull();
        (await Judgement.OfAsync(Context(Pki.Revoke(between, []) + "\n" + Pki.Revoke(_root, [])), workload, between)).ShouldBeNull();
    }

    [Fact]
    public async Task A_list_counts_in_its_time_only()
    {
        var workload = Pki.Workload(_root, "spiffe://td/a");

        (await Judgement.OfAsync(Context(Pki.Revoke(_root, [], nextUpdate: Pki.Now.AddSeconds(-1))), workload))!.Value.Reason.ShouldBe(Depth0 + "CRL has expired");
        (await Judgement.OfAsync(Context(Pki.Revoke(_root, [], thisUpdate: Pki.Now.AddSeconds(1))), workload))!.Value.Reason.ShouldBe(Depth0 + "CRL is not yet valid");
        (await Judgement.OfAsync(Context(Pki.Revoke(_root, [], nextUpdate: Pki.Now.AddSeconds(-1)) + "\n" + Pki.Revoke(_root, [])), workload)).ShouldBeNull();

        // What was taken back stays so, however old the list is.
        (await Judgement.OfAsync(Context(Pki.Revoke(_root, [workload], nextUpdate: Pki.Now.AddSeconds(-1)) + "\n" + Pki.Revoke(_root, [])), workload))!.Value.Reason
            .ShouldBe(Depth0 + "certificate revoked");
    }

    [Fact]
    public async Task A_list_is_that_of_who_has_signed_it()
    {
        var namesake = Pki.Authority("root");
        var workload = Pki.Workload(_root, "spiffe://td/a");

        (await Judgement.OfAsync(Context(Pki.Revoke(namesake, [])), workload))!.Value.Reason.ShouldBe(Depth0 + "CRL signature failure");

        // While an authority changes its key there are two of one name.
        (await Judgement.OfAsync(Context(Pki.Revoke(namesake, [workload]) + "\n" + Pki.Revoke(_root, [])), workload)).ShouldBeNull();

        var mute = Pki.Authority("mute", usage: X509KeyUsageFlags.KeyCertSign);
        (await Judgement.OfAsync(Context(Pki.RevokeWith(mute, "1.2.3.4", critical: false), mute), Pki.Workload(mute, "spiffe://td/a")))!.Value.Reason.ShouldBe(Depth0 + "key usage does not include CRL signing");
    }

    [Fact]
    public void A_list_that_was_changed_is_worth_nothing()
    {
        var workload = Pki.Workload(_root, "spiffe://td/a");
        var list = Der(Pki.Revoke(_root, [workload]));
        var random = new Random(7);
        var accepted = 0;
        for (var i = 0; i < 500; i++)
        {
            var changed = (byte[])list.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                accepted += RevocationList.Parse(changed).IsSignedBy(_root) ? 1 : 0;
            }
            catch (CryptographicException)
            {
                // Refused before its signature was looked at.
            }
        }

        accepted.ShouldBe(0);
        RevocationList.Parse(list).IsSignedBy(_root).ShouldBeTrue();
    }

    [Fact]
    public void Every_serial_number_of_a_long_list_is_found_and_no_other()
    {
        var builder = new CertificateRevocationListBuilder();
        byte[] SerialOf(int i) => [1, (byte)(i >> 16), (byte)(i >> 8), (byte)i];
        for (var i = 0; i < 20_000; i += 2)
        {
            builder.AddEntry(SerialOf(i * 7919 % 100_003), Pki.From);
        }

        var list = RevocationList.Parse(builder.Build(_root, 1, Pki.Until, HashAlgorithmName.SHA256, thisUpdate: Pki.From));

        list.Count.ShouldBe(10_000);
        for (var i = 0; i < 20_000; i += 501)
        {
            using var certificate = Pki.Leaf(_root, _ => { }, serial: SerialOf(i * 7919 % 100_003));
            list.Contains(certificate).ShouldBe(i % 2 == 0, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData("2.5.29.27", true, "delta CRL")]
    [InlineData("2.5.29.28", true, "issuingDistributionPoint")]
    [InlineData("2.5.29.28", false, "issuingDistributionPoint")]
    [InlineData("1.2.3.4", true, "critical extension 1.2.3.4")]
    public void A_list_that_means_something_else_is_refused(string oid, bool critical, string reason)
    {
        var refusal = Should.Throw<ResourceRejectedException>(() => CertificateValidationCompiler.Compile(Context(Pki.RevokeWith(_root, oid, critical)), "c"));

        refusal.Field.ShouldBe("c.crl");
        refusal.Reason.ShouldContain(reason);
        CertificateValidationCompiler.Compile(Context(Pki.RevokeWith(_root, "1.2.3.4", critical: false)), "c").Revoked.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("no PEM")]
    [InlineData("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----")]
    [InlineData("-----BEGIN X509 CRL-----\nAAAA")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    public void What_is_no_list_is_refused(string text)
        => Should.Throw<ResourceRejectedException>(() => CertificateValidationCompiler.Compile(Context(text), "c")).Field.ShouldBe("c.crl");

    [Fact]
    public void A_list_without_an_authority_is_refused()
        => Should.Throw<ResourceRejectedException>(() => CertificateValidationCompiler.Compile(
            new CertificateValidationContext { Crl = new() { InlineString = Pki.Revoke(_root, []) }, VerifyCertificateHash = { new string('0', 64) } }, "c")).Field.ShouldBe("c.crl");

    [Fact]
    public async Task Lists_may_stand_among_the_authorities()
    {
        var workload = Pki.Workload(_root, "spiffe://td/a");
        var context = Context(null);
        context.TrustedCa.InlineString += "\n" + Pki.Revoke(_root, [workload]);

        (await Judgement.OfAsync(context, workload))!.Value.Reason.ShouldBe(Depth0 + "certificate revoked");
        (await Judgement.OfAsync(context, Pki.Workload(_root, "spiffe://td/a"))).ShouldBeNull();
    }

    [Fact]
    public void A_list_among_the_authorities_that_cannot_be_read_is_not_passed_over()
    {
        var context = Context(null);
        context.TrustedCa.InlineString = context.TrustedCa.InlineString.TrimEnd() + Pki.Revoke(_root, []);

        Should.Throw<TlsFailureException>(() => CertificateValidationCompiler.Compile(context, "c").Revoked!.Get());
    }

    [Fact]
    public async Task A_list_in_a_file_counts_from_the_next_connection_on_and_the_last_good_one_stays()
    {
        var file = Path.GetTempFileName();
        try
        {
            var workload = Pki.Workload(_root, "spiffe://td/a");
            await File.WriteAllTextAsync(file, Pki.Revoke(_root, []));
            var context = Context(null);
            context.Crl = new DataSource { Filename = file };
            var validation = CertificateValidationCompiler.Compile(context, "c");
            (await Judgement.OfAsync(validation, workload, [], false)).ShouldBeNull();

            await File.WriteAllTextAsync(file, Pki.Revoke(_root, [workload]));
            (await Judgement.OfAsync(validation, workload, [], false))!.Value.Reason.ShouldBe(Depth0 + "certificate revoked");

            await File.WriteAllTextAsync(file, "");
            (await Judgement.OfAsync(validation, workload, [], false))!.Value.Reason.ShouldBe(Depth0 + "certificate revoked");

            File.Delete(file);
            var late = CertificateValidationCompiler.Compile(context, "c");
            Should.Throw<TlsFailureException>(() => late.Revoked!.Get()).Reason.ShouldBe($"cannot use {file}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static byte[] Der(string pem) => Convert.FromBase64String(string.Concat(pem.Split('\n').Where(l => !l.StartsWith('-'))));

    private static CertificateValidationContext Context(string? lists, X509Certificate2? authority = null) => new()
    {
        TrustedCa = new() { InlineString = (authority ?? _root).ExportCertificatePem() },
        Crl = lists is null ? null : new() { InlineString = lists },
    };
}
