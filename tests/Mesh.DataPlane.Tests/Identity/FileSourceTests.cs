using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Testing;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>Certificates in files that somebody else renews.</summary>
public sealed class FileSourceTests : IAsyncDisposable
{
    private static readonly X509Certificate2 _root = Pki.Authority("root");
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("identity").FullName;
    private readonly ManualTimeProvider _time = new(Pki.Now);
    private readonly LogRecorder _log = new();
    private readonly SecretRecorder _certificates = new();
    private readonly SecretRecorder _authorities = new();
    private readonly List<IAsyncDisposable> _identities = [];

    [Fact]
    public async Task A_pod_with_the_bootstrap_of_Istios_agent_works_as_it_is()
    {
        var (certificate, between) = Write();
        var config = $$"""
            {
              "xds_servers": [{"server_uri": "unix:///etc/istio/XDS", "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
              "certificate_providers": {
                "default": {
                  "plugin_name": "file_watcher",
                  "config": {
                    "certificate_file": "{{Cert}}", "private_key_file": "{{Key}}", "ca_certificate_file": "{{Root}}", "refresh_interval": "900s"
                  }
                }
              },
              "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%s"
            }
            """;
        var provider = BootstrapReader.Read(config, "test").CertificateProviders["default"];

        var settings = FileSourceSettings.Of("default", provider);
        var identity = Start(settings);

        settings.RefreshInterval.ShouldBe(TimeSpan.FromSeconds(900));
        var context = (await _certificates.NextAsync()).Certificate!.Get();
        context.TargetCertificate.RawData.ShouldBe(certificate.RawData);
        context.TargetCertificate.HasPrivateKey.ShouldBeTrue();
        context.IntermediateCertificates.ShouldHaveSingleItem().RawData.ShouldBe(between.RawData);
        (await Judgement.OfAsync((await _authorities.NextAsync()).Validation!, context.TargetCertificate, between)).ShouldBeNull();
        await identity.Settled.WaitAsync(Guard);
        identity.Status.Id.ToString().ShouldBe(TestAuthority.Workload);
    }

    [Fact]
    public async Task A_renewed_pair_and_a_changed_root_are_taken_at_the_next_look()
    {
        Write();
        Start(Settings);
        await _certificates.NextAsync();
        await _authorities.NextAsync();

        var (second, _) = Write();
        await LookAsync();
        (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate.RawData.ShouldBe(second.RawData);

        // It looks at the authorities after the pair.
        await LookedAsync(again: Often);
        _authorities.HasMore.ShouldBeFalse();

        await File.AppendAllTextAsync(Root, "\n" + Pki.Authority("second").ExportCertificatePem());
        await LookAsync();
        (await _authorities.NextAsync()).Validation!.TrustedCa.InlineString.ShouldBe(await File.ReadAllTextAsync(Root));
        await LookedAsync(again: Often);
        _certificates.HasMore.ShouldBeFalse();
    }

    public static TheoryData<string> Spoilt => ["a key of another", "half a certificate", "half a key", "an empty key", "no certificate", "an expired certificate", "no key file"];

    [Theory]
    [MemberData(nameof(Spoilt))]
    public async Task What_does_not_go_together_leaves_the_last_good_pair_in_use_and_is_looked_at_again_soon(string how)
    {
        Write();
        var identity = Start(Settings);
        var good = (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate;
        await _authorities.NextAsync();
        await LookedAsync(again: Often);
        switch (how)
        {
            case "a key of another":
                await File.WriteAllTextAsync(Key, KeyOf(Pki.Workload(_root, TestAuthority.Workload)));
                break;
            case "half a certificate":
                await File.WriteAllTextAsync(Cert, (await File.ReadAllTextAsync(Cert))[..200]);
                break;
            case "half a key":
                await File.WriteAllTextAsync(Key, (await File.ReadAllTextAsync(Key))[..100]);
                break;
            case "an empty key":
                await File.WriteAllTextAsync(Key, "");
                break;
            case "no certificate":
                await File.WriteAllTextAsync(Cert, await File.ReadAllTextAsync(Key));
                break;
            case "an expired certificate":
                Write(until: Pki.Now.AddSeconds(-1));
                break;
            case "no key file":
                File.Delete(Key);
                break;
        }

        string[] secrets = ["PRIVATE", "-----BEGIN", .. Lines(Key), .. Lines(Cert)];
        await LookAsync();
        var (error, isAmbient) = await _certificates.NextErrorAsync();
        isAmbient.ShouldBeTrue();
        error.Message.ShouldContain(how is "an expired certificate" ? "has expired" : how.Contains("key", StringComparison.Ordinal) ? Key : Cert);
        identity.Status.SerialNumber.ShouldBe(good.SerialNumber);
        _log.Entries.ShouldContain(e => e.Level == Microsoft.Extensions.Logging.LogLevel.Warning && e.Text.Contains("The one in use stays"));
        foreach (var secret in secrets)
        {
            _log.Entries.ShouldAllBe(e => !e.Text.Contains(secret), "no line quotes what a file holds");
        }

        // It looks at one file after the other: none is written while it still does.
        await LookedAsync(again: Soon);
        _authorities.HasMore.ShouldBeFalse("a faulty pair does not keep new authorities back, and is not one");

        // The next look is not ten minutes away.
        var (young, _) = Write();
        _time.Advance(Soon);
        (await _certificates.NextAsync()).Certificate!.Get().TargetCertificate.RawData.ShouldBe(young.RawData);
        identity.Status.LastError.ShouldBeNull();
    }

    [Theory]
    [InlineData("cert-chain.pem")]
    [InlineData("key.pem")]
    [InlineData("root-cert.pem")]
    public async Task What_was_wrong_for_a_moment_has_passed_when_the_file_is_there_as_it_was(string file)
    {
        Write();
        var identity = Start(Settings);
        await _certificates.NextAsync();
        await _authorities.NextAsync();
        var (told, name) = file == "root-cert.pem" ? (_authorities, ISecretSource.Authorities) : (_certificates, ISecretSource.Certificate);
        var path = Path.Combine(_folder, file);
        await LookedAsync(again: Often);
        File.Move(path, path + ".away");

        _time.Advance(Often);
        var reason = (await told.NextErrorAsync()).Error.Message;
        await LookedAsync(again: Soon);
        reason.ShouldContain(path);
        identity.Status.LastError.ShouldBe(reason);
        identity.ErrorOf(name).ShouldBe(reason);

        File.Move(path + ".away", path);
        _time.Advance(Soon);
        await LookedAsync(again: Often);
        identity.Status.LastError.ShouldBeNull();
        identity.ErrorOf(name).ShouldBeNull();
        var late = new SecretRecorder();
        identity.Watch(name, late);
        await late.NextAsync();
        late.HasMore.ShouldBeFalse("nothing is wrong any more");

        // And if it happens again, that is said again.
        File.Delete(path);
        _time.Advance(Often);
        (await told.NextErrorAsync()).Error.Message.ShouldBe(reason);
        _log.Entries.Count(e => e.Text.Contains(reason, StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task New_authorities_do_not_hide_that_the_certificate_cannot_be_used()
    {
        Write();
        var identity = Start(Settings);
        await _certificates.NextAsync();
        await _authorities.NextAsync();
        await LookedAsync(again: Often);
        File.Delete(Key);
        await File.AppendAllTextAsync(Root, "\n" + Pki.Authority("second").ExportCertificatePem());

        _time.Advance(Often);
        var reason = (await _certificates.NextErrorAsync()).Error.Message;
        await _authorities.NextAsync();
        await LookedAsync(again: Soon);
        identity.Status.LastError.ShouldBe(reason);
        identity.ErrorOf(ISecretSource.Authorities).ShouldBeNull();

        // The same at the next look is no news.
        File.Delete(Root);
        _time.Advance(Soon);
        await _certificates.NextErrorAsync();
        await _authorities.NextErrorAsync();
        await LookedAsync(again: 1.6 * Soon);
        _time.Advance(1.6 * Soon);
        await _certificates.NextErrorAsync();
        await _authorities.NextErrorAsync();
        _log.Entries.Count(e => e.Level == Microsoft.Extensions.Logging.LogLevel.Warning).ShouldBe(2);
    }

    [Fact]
    public async Task Files_that_are_not_there_yet_are_waited_for()
    {
        var identity = Start(Settings);
        (await _certificates.NextErrorAsync()).ShouldSatisfyAllConditions(e => e.IsAmbient.ShouldBeFalse(), e => e.Error.Message.ShouldContain(Cert));
        (await _authorities.NextErrorAsync()).Error.Message.ShouldContain(Root);
        await identity.Settled.WaitAsync(Guard);
        identity.IsReady.ShouldBeFalse();

        await LookedAsync(again: Soon);
        Write();
        _time.Advance(Soon);

        await _certificates.NextAsync();
        await _authorities.NextAsync();
        identity.IsReady.ShouldBeTrue();
    }

    [Fact]
    public async Task An_authority_that_has_expired_does_not_take_the_place_of_one_that_has_not()
    {
        Write();
        Start(Settings);
        await _authorities.NextAsync();
        await File.WriteAllTextAsync(Root, Pki.Leaf(null, _ => { }, "CN=old", until: Pki.Now.AddDays(-1), isAuthority: true, usage: X509KeyUsageFlags.KeyCertSign).ExportCertificatePem());

        await LookAsync();

        (await _authorities.NextErrorAsync()).ShouldBe((new ResourceError(ResourceErrorKind.Invalid, "the authority 'CN=old' has expired at 2029-12-31 00:00:00Z"), true));
    }

    [Fact]
    public async Task Trust_bundles_by_trust_domain_go_before_the_authorities()
    {
        Write();
        var map = Path.Combine(_folder, "map.json");
        await File.WriteAllTextAsync(map, SpiffeTrustTests.Map(("cluster.local", _root), ("partner", Pki.Authority("partner"))));
        Start(Settings with { BundleMap = map });

        var context = (await _authorities.NextAsync()).Validation!;

        (await Judgement.OfAsync(context, Pki.Workload(_root, TestAuthority.Workload))).ShouldBeNull();
        (await Judgement.OfAsync(context, Pki.Workload(_root, "spiffe://partner/a"))).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_source_of_authorities_alone_has_no_certificate_and_says_so()
    {
        Write();
        var identity = Start(Settings with { Certificate = null, PrivateKey = null });

        await _authorities.NextAsync();
        (await _certificates.NextErrorAsync()).Error.Kind.ShouldBe(ResourceErrorKind.DoesNotExist);
        await identity.Settled.WaitAsync(Guard);
        identity.IsReady.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"plugin_name": "mesh_ca", "config": {}}""", "plugin_name of the gRPC bootstrap is 'mesh_ca'")]
    [InlineData("""{"plugin_name": "file_watcher", "config": {}}""", "names no file")]
    [InlineData("""{"plugin_name": "file_watcher", "config": {"certificate_file": "/c"}}""", "certificate_file and private_key_file, or neither")]
    [InlineData("""{"plugin_name": "file_watcher", "config": {"ca_certificate_file": 1}}""", "ca_certificate_file of the gRPC bootstrap is Number")]
    [InlineData("""{"plugin_name": "file_watcher", "config": {"ca_certificate_file": "/c", "refresh_interval": "10m"}}""", "refresh_interval of the gRPC bootstrap is '10m'")]
    public void A_bootstrap_that_cannot_be_used_is_refused_with_its_place(string json, string reason)
    {
        using var document = JsonDocument.Parse(json);
        var provider = new CertificateProviderConfig(document.RootElement.GetProperty("plugin_name").GetString()!, document.RootElement.GetProperty("config").Clone());

        Should.Throw<IdentityException>(() => FileSourceSettings.Of("default", provider)).Message.ShouldContain(reason);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var identity in _identities)
        {
            await identity.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Cert => Path.Combine(_folder, "cert-chain.pem");

    private string Key => Path.Combine(_folder, "key.pem");

    private string Root => Path.Combine(_folder, "root-cert.pem");

    private static TimeSpan Often => TimeSpan.FromMinutes(10);

    // The back-off after the first failure, without chance.
    private static TimeSpan Soon => TimeSpan.FromSeconds(1);

    private FileSourceSettings Settings => new("the files of the test", Cert, Key, Root, null, Often);

    private WorkloadIdentity Start(FileSourceSettings settings)
    {
        var identity = new WorkloadIdentity(new FileSource(settings, _time, new SequenceRandomSource(1)), _time, _log);
        _identities.Add(identity);
        identity.Watch(ISecretSource.Certificate, _certificates);
        identity.Watch(ISecretSource.Authorities, _authorities);
        identity.Start();
        return identity;
    }

    private async Task LookAsync()
    {
        await LookedAsync(again: Often);
        _time.Advance(Often);
    }

    // It waits, so it reads no file: that is the moment to write one, as others are renamed into place whole.
    private Task LookedAsync(TimeSpan again) => _time.WaitForTimerAsync(again).WaitAsync(Guard);

    private static IEnumerable<string> Lines(string file) => File.Exists(file) ? File.ReadLines(file).Where(line => line.Length > 8) : [];

    private (X509Certificate2 Certificate, X509Certificate2 Between) Write(DateTimeOffset? until = null)
    {
        var between = Pki.Authority("between", _root);
        var certificate = Pki.Leaf(between, r => r.CertificateExtensions.Add(Pki.Uris(TestAuthority.Workload)), until: until);
        File.WriteAllText(Cert, certificate.ExportCertificatePem() + "\n" + between.ExportCertificatePem());
        File.WriteAllText(Key, KeyOf(certificate));
        File.WriteAllText(Root, _root.ExportCertificatePem());
        return (certificate, between);
    }

    private static string KeyOf(X509Certificate2 certificate) => certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
}
