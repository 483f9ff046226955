using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;
using Secret = Envoy.Extensions.TransportSockets.Tls.V3.Secret;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>Where the authority's key comes from, and how one root follows another.</summary>
public sealed class AuthorityFilesTests : IAsyncDisposable
{
    private static readonly CallerCredentials Reviews = new() { InProcess = ("default", "bookinfo-reviews") };
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    private readonly SecretFolder _files = new();
    private readonly List<TestControlPlane> _controlPlanes = [];
    private readonly ManualTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public async ValueTask DisposeAsync()
    {
        foreach (var controlPlane in _controlPlanes)
        {
            await controlPlane.DisposeAsync();
        }

        _files.Dispose();
    }

    private TestControlPlane Start(Action<MeshControlPlaneAuthorityOptions> configure)
    {
        var controlPlane = new TestControlPlane(options => configure(options.CertificateAuthority), _time);
        _controlPlanes.Add(controlPlane);
        return controlPlane;
    }

    private TestControlPlane StartOwn(Action<MeshControlPlaneAuthorityOptions>? configure = null) => Start(options =>
    {
        options.Folder = _files["mesh.ca"];
        configure?.Invoke(options);
    });

    private TestControlPlane StartGiven() => Start(options => options.CaCerts = _files.Path);

    private static Task<IssuedCertificate> IssueAsync(TestControlPlane controlPlane) => controlPlane.Issuer.IssueAsync(Requests.New(), Reviews, default);

    /// <summary>Whether a workload that trusts <paramref name="trusted"/> takes what another shows.</summary>
    private bool Accepts(string trusted, IssuedCertificate shown)
    {
        var chain = Requests.Certificates(shown.Chain);
        return CertificateChains.LeadsTo(chain[0], chain.Skip(1), Requests.Certificates(trusted), _time.GetUtcNow(), out _);
    }

    [Fact]
    public async Task A_root_is_made_once_and_kept_for_its_owner_alone()
    {
        var first = await IssueAsync(StartOwn());
        var second = await IssueAsync(StartOwn());

        second.Roots.ShouldBe(first.Roots);
        var root = Requests.Certificates(first.Roots).ShouldHaveSingleItem();
        root.Subject.ShouldBe("O=cluster.local");
        (root.NotAfter.ToUniversalTime() - _time.GetUtcNow().UtcDateTime).ShouldBe(TimeSpan.FromDays(3650));
        File.ReadAllText(_files["mesh.ca/root-cert.pem"]).Trim().ShouldBe(first.Roots.Trim());
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(_files["mesh.ca"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.GetUnixFileMode(_files["mesh.ca/authority.json"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task Nothing_is_made_before_somebody_asks()
    {
        var controlPlane = StartOwn();
        await controlPlane.StartAsync();

        Directory.Exists(_files["mesh.ca"]).ShouldBeFalse();
        controlPlane.Authority.Roots.ShouldContain("BEGIN CERTIFICATE");
        Directory.Exists(_files["mesh.ca"]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("mesh.ca/authority.json", UnixFileMode.UserRead | UnixFileMode.GroupRead)]
    [InlineData("mesh.ca/authority.json", UnixFileMode.UserRead | UnixFileMode.OtherRead)]
    [InlineData("mesh.ca", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute)]
    public async Task A_key_that_others_may_have_read_is_refused(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        await IssueAsync(StartOwn());
        File.SetUnixFileMode(_files[path], mode);

        var error = await Should.ThrowAsync<AuthorityException>(StartOwn().StartAsync);

        error.Message.ShouldContain(_files[path]);
        error.Message.ShouldContain("chmod");
        (await Should.ThrowAsync<RpcException>(() => IssueAsync(StartOwn()))).StatusCode.ShouldBe(StatusCode.Unavailable);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"Active\":null}")]
    [InlineData("{\"Active\":{}}")]
    [InlineData("{\"Active\":{\"Certificate\":\"x\",\"Key\":\"y\"}}")]
    public async Task A_file_that_is_not_what_was_written_is_told_and_never_replaced(string text)
    {
        await IssueAsync(StartOwn());
        File.WriteAllText(_files["mesh.ca/authority.json"], text);

        (await Should.ThrowAsync<AuthorityException>(StartOwn().StartAsync)).Message.ShouldContain("authority.json cannot be used");

        await Should.ThrowAsync<RpcException>(() => IssueAsync(StartOwn()));
        File.ReadAllText(_files["mesh.ca/authority.json"]).ShouldBe(text);
    }

    [Fact]
    public async Task An_expired_root_is_told_at_the_start()
    {
        var first = StartOwn();
        await IssueAsync(first);
        await first.DisposeAsync();
        _time.Advance(TimeSpan.FromDays(3651));

        (await Should.ThrowAsync<AuthorityException>(StartOwn().StartAsync)).Message.ShouldContain("the root has expired");
    }

    [Fact]
    public async Task A_new_root_is_trusted_before_it_signs_and_the_old_one_as_long_as_what_it_signed()
    {
        var controlPlane = StartOwn(options => options.MaxLifetime = TimeSpan.FromDays(3));
        var before = await IssueAsync(controlPlane);

        // 1. Announced: trusted, and does not sign.
        controlPlane.Authority.BeginRootRotation();
        controlPlane.Authority.Rotation.ShouldBe(RootRotation.Announced);
        var announced = await IssueAsync(controlPlane);
        Requests.Certificates(announced.Roots).Count.ShouldBe(2);
        Accepts(before.Roots, announced).ShouldBeTrue();
        Should.Throw<InvalidOperationException>(controlPlane.Authority.BeginRootRotation).Message.ShouldContain("one at a time");

        // 2. It signs when everybody knows it.
        _time.Advance(TimeSpan.FromHours(24) - Poll);
        Accepts(before.Roots, await IssueAsync(controlPlane)).ShouldBeTrue();
        var last = await IssueAsync(controlPlane);
        _time.Advance(Poll * 2);
        controlPlane.Authority.Rotation.ShouldBe(RootRotation.Overlap);
        var after = await IssueAsync(controlPlane);
        Accepts(before.Roots, after).ShouldBeFalse();
        Accepts(announced.Roots, after).ShouldBeTrue();
        Accepts(after.Roots, last).ShouldBeTrue();
        File.ReadAllText(_files["mesh.ca/authority.json"]).Split("PRIVATE KEY").Length.ShouldBe(3);

        // 3. The old one goes when nothing that it signed can be valid.
        _time.Advance(TimeSpan.FromDays(2.9));
        Requests.Certificates(controlPlane.Authority.Roots).Count.ShouldBe(2);
        _time.Advance(TimeSpan.FromDays(0.2));
        controlPlane.Authority.Rotation.ShouldBe(RootRotation.None);
        var root = Requests.Certificates(controlPlane.Authority.Roots).ShouldHaveSingleItem();
        Accepts(root.ExportCertificatePem(), await IssueAsync(controlPlane)).ShouldBeTrue();

        controlPlane.Audit.ShouldContain(entry => entry.Contains("change to another root begun"));
    }

    [Fact]
    public async Task A_root_that_ends_is_followed_by_itself_and_no_moment_is_without_one_that_all_trust()
    {
        var controlPlane = Start(options =>
        {
            options.Lifetime = TimeSpan.FromHours(12);
            options.MaxLifetime = TimeSpan.FromDays(1);
            options.RootLifetime = TimeSpan.FromDays(10);
            options.RootAnnouncement = TimeSpan.FromHours(12);
        });
        var held = await IssueAsync(controlPlane);

        // Three lives of roots. Of two workloads one has always renewed half a life later than the other.
        for (var hours = 0; hours < 30 * 24; hours += 6)
        {
            _time.Advance(TimeSpan.FromHours(6));
            var renewed = await IssueAsync(controlPlane);
            Accepts(held.Roots, renewed).ShouldBeTrue($"hour {hours}: who has not renewed yet takes who has");
            Accepts(renewed.Roots, held).ShouldBeTrue($"hour {hours}: who has renewed takes who has not");
            held = renewed;
        }

        controlPlane.Logs.Entries.Count(entry => entry.Text.Contains("The announced root signs from now on")).ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public async Task A_rotation_survives_a_restart()
    {
        var first = StartOwn();
        var before = await IssueAsync(first);
        first.Authority.BeginRootRotation();
        var announced = first.Authority.Roots;
        await first.DisposeAsync();

        var second = StartOwn();
        await second.StartAsync();
        second.Authority.Rotation.ShouldBe(RootRotation.Announced);
        second.Authority.Roots.ShouldBe(announced);
        Accepts(before.Roots, await IssueAsync(second)).ShouldBeTrue();

        _time.Advance(TimeSpan.FromHours(25));
        second.Authority.Rotation.ShouldBe(RootRotation.Overlap);
        Accepts(before.Roots, await IssueAsync(second)).ShouldBeFalse();
        Accepts(announced, await IssueAsync(second)).ShouldBeTrue();
    }

    [Fact]
    public async Task Control_planes_that_share_a_folder_have_one_authority()
    {
        var planes = new[] { StartOwn(), StartOwn(), StartOwn() };
        var issued = await Task.WhenAll(planes.Select(plane => Task.Run(() => IssueAsync(plane))));
        issued.Select(i => i.Roots).Distinct().ShouldHaveSingleItem();

        planes[1].Authority.BeginRootRotation();
        _time.Advance(Poll);
        planes.Select(plane => plane.Authority.Roots).Distinct().ShouldHaveSingleItem();
        planes[0].Authority.Rotation.ShouldBe(RootRotation.Announced);

        _time.Advance(TimeSpan.FromHours(24) + (Poll * 2));
        planes.Select(plane => plane.Authority.Rotation).Distinct().ShouldBe([RootRotation.Overlap]);
        planes.Select(plane => plane.Authority.Roots).Distinct().ShouldHaveSingleItem();
        foreach (var plane in planes)
        {
            Accepts(planes[2].Authority.Roots, await IssueAsync(plane)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task An_intermediate_signs_and_its_chain_is_shown()
    {
        using var root = new TestAuthority("root");
        using var middle = new TestAuthority("middle", root);
        using var leafward = new TestAuthority("leafward", middle);
        leafward.WriteTo(_files, root);
        var controlPlane = StartGiven();
        await controlPlane.StartAsync();

        var issued = await IssueAsync(controlPlane);

        Requests.Certificates(issued.Chain).Select(c => c.Subject).ShouldBe(["", "O=test, CN=leafward", "O=test, CN=middle"], ignoreOrder: false);
        issued.Roots.Trim().ShouldBe(root.Pem.Trim());
        Accepts(issued.Roots, issued).ShouldBeTrue();
        Should.Throw<InvalidOperationException>(controlPlane.Authority.BeginRootRotation).Message.ShouldContain("root-cert.pem");
    }

    [Fact]
    public async Task A_key_may_be_rsa()
    {
        using var root = new TestAuthority("root", key: RSA.Create(2048));
        root.WriteTo(_files, root, ((RSA)root.Key).ExportRSAPrivateKeyPem());

        var issued = await IssueAsync(StartGiven());

        Accepts(issued.Roots, issued).ShouldBeTrue();
    }

    [Theory]
    [InlineData("mismatch", "is not the key of the certificate")]
    [InlineData("expired", "has expired at")]
    [InlineData("future", "is not valid before")]
    [InlineData("no authority", "CA:TRUE")]
    [InlineData("other root", "vouches for")]
    [InlineData("missing", "does not exist")]
    [InlineData("no key", "no ECDSA or RSA key")]
    [InlineData("encrypted", "not encrypted")]
    [InlineData("no certificate", "no certificate in PEM")]
    [InlineData("unreadable", "cannot be read")]
    public async Task Files_that_cannot_be_used_are_told_at_the_start(string flaw, string reason)
    {
        using var root = new TestAuthority("root");
        using var other = new TestAuthority("other");
        using var expired = new TestAuthority("root", until: _time.GetUtcNow().AddHours(-1));
        using var nobody = new TestAuthority("nobody", isAuthority: false);
        root.WriteTo(_files, root);
        var secret = ((ECDsa)root.Key).ExportPkcs8PrivateKeyPem();
        switch (flaw)
        {
            case "mismatch":
                _files.Write("ca-key.pem", ((ECDsa)other.Key).ExportPkcs8PrivateKeyPem());
                break;
            case "expired":
                expired.WriteTo(_files, expired);
                break;
            case "future":
                File.WriteAllText(_files["root-cert.pem"], root.Pem + Future().ExportCertificatePem());
                break;
            case "no authority":
                nobody.WriteTo(_files, nobody);
                break;
            case "other root":
                _files.Write("root-cert.pem", other.Pem);
                break;
            case "missing":
                File.Delete(_files["ca-key.pem"]);
                break;
            case "no key":
                _files.Write("ca-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
                break;
            case "encrypted":
                _files.Write("ca-key.pem", root.Key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)));
                break;
            case "no certificate":
                _files.Write("ca-cert.pem", "hello");
                break;
            default:
                File.Delete(_files["ca-key.pem"]);
                Directory.CreateDirectory(_files["ca-key.pem"]);
                break;
        }

        var controlPlane = StartGiven();
        var error = await Should.ThrowAsync<AuthorityException>(controlPlane.StartAsync);

        error.Message.ShouldContain(reason);
        error.Message.ShouldContain(_files.Path);
        error.ToString().ShouldNotContain(secret.Split('\n')[1]);
        var refusal = await Should.ThrowAsync<RpcException>(() => IssueAsync(controlPlane));
        refusal.StatusCode.ShouldBe(StatusCode.Unavailable);
        refusal.Detail.ShouldNotContain(_files.Path);

        static X509Certificate2 Future()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return new CertificateRequest("CN=future", key, HashAlgorithmName.SHA256).CreateSelfSigned(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }
    }

    [Fact]
    public async Task Files_that_change_are_taken_over_and_bad_ones_leave_the_last_good_ones()
    {
        using var first = new TestAuthority("first");
        using var second = new TestAuthority("second");
        first.WriteTo(_files, first);
        var controlPlane = StartGiven();
        var before = await IssueAsync(controlPlane);

        // The certificate without its key: half of a change, or a mistake.
        _files.Write("ca-cert.pem", second.Pem);
        _time.Advance(Poll * 3);
        Accepts(before.Roots, await IssueAsync(controlPlane)).ShouldBeTrue();
        controlPlane.Logs.Entries.Count(entry => entry.Text.Contains("last good ones stay in force")).ShouldBe(1);

        File.Delete(_files["root-cert.pem"]);
        _time.Advance(Poll * 3);
        Accepts(before.Roots, await IssueAsync(controlPlane)).ShouldBeTrue();
        controlPlane.Logs.Entries.Count(entry => entry.Text.Contains("last good ones stay in force")).ShouldBe(2);

        second.WriteTo(_files, second);
        File.WriteAllText(_files["root-cert.pem"], first.Pem + second.Pem);
        _time.Advance(Poll);
        var after = await IssueAsync(controlPlane);
        Accepts(second.Pem, after).ShouldBeTrue();
        Accepts(after.Roots, before).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_asks_for_the_roots_over_ads_hears_of_each_change()
    {
        var controlPlane = StartOwn();
        await using var peer = await Hosting.AdsPeer.ConnectAsync(new InProcessAdsTransport(controlPlane.Ads), TestNodes.Of("n"));
        await peer.SubscribeAsync(TypeUrls.Secret, TrustBundle.Name);

        var roots = await peer.WaitForAsync<Secret>(TypeUrls.Secret, TrustBundle.Name);
        roots.ValidationContext.TrustedCa.InlineBytes.ToStringUtf8().ShouldBe(controlPlane.Authority.Roots);
        roots.TlsCertificate.ShouldBeNull();

        controlPlane.Authority.BeginRootRotation();
        await peer.WaitForAsync<Secret>(TypeUrls.Secret, TrustBundle.Name, secret => Requests.Certificates(secret.ValidationContext.TrustedCa.InlineBytes.ToStringUtf8()).Count == 2);
    }

    [Fact]
    public async Task The_control_planes_own_certificate_is_renewed_and_follows_the_root()
    {
        var controlPlane = StartOwn();
        var first = controlPlane.ServerCertificate.Current;
        controlPlane.ServerCertificate.Current.ShouldBeSameAs(first);
        var names = first.TargetCertificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        names.EnumerateDnsNames().ShouldContain("istiod.istio-system.svc");
        names.EnumerateIPAddresses().ShouldContain(System.Net.IPAddress.Loopback);

        _time.Advance(TimeSpan.FromHours(13));
        var second = controlPlane.ServerCertificate.Current;
        second.ShouldNotBeSameAs(first);
        await controlPlane.DisposeAsync();
    }

    [Fact]
    public async Task Without_an_authority_nothing_is_issued()
    {
        var controlPlane = new TestControlPlane(options => options.CertificateAuthority.Enabled = false, _time);
        _controlPlanes.Add(controlPlane);
        await controlPlane.StartAsync();

        Should.Throw<InvalidOperationException>(() => controlPlane.Issuer);
        await using var peer = await Hosting.AdsPeer.ConnectAsync(new InProcessAdsTransport(controlPlane.Ads), TestNodes.Of("n"));
        await peer.SubscribeAsync(TypeUrls.Secret, TrustBundle.Name);
        await peer.WaitForAbsenceAsync(TypeUrls.Secret, TrustBundle.Name);
    }
}
