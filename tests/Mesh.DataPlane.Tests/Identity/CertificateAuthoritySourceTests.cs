using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Xds.Certificates;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>Keys that a certificate authority signs, and that are renewed in time.</summary>
public sealed class CertificateAuthoritySourceTests
{
    private static readonly TimeSpan Half = TimeSpan.FromHours(12);

    [Fact]
    public async Task A_workload_has_a_certificate_for_its_own_key_and_the_authorities()
    {
        await using var world = new AuthorityWorld(a => a.Between = Pki.Authority("between", a.Root));

        var secret = await world.Certificates.NextAsync();
        var authorities = await world.Authorities.NextAsync();

        var context = secret.Certificate!.Get();
        context.TargetCertificate.HasPrivateKey.ShouldBeTrue();
        context.TargetCertificate.NotAfter.ToUniversalTime().ShouldBe(Pki.Now.AddHours(24).UtcDateTime);
        context.IntermediateCertificates.ShouldHaveSingleItem().RawData.ShouldBe(world.Authority.Between!.RawData);
        secret.Certificate.Get().ShouldBeSameAs(context);
        authorities.Validation!.TrustedCa.InlineString.ShouldBe(world.Authority.Root.ExportCertificatePem());
        world.Authority.Callers.ShouldHaveSingleItem().InProcess.ShouldBe(("default", "reviews"));
        await world.Identity.Settled;
        world.Identity.Status.Id.ToString().ShouldBe(TestAuthority.Workload);
        world.Identity.Status.ValidUntil.ShouldBe(Pki.Now.AddHours(24));
        (await Judgement.OfAsync(authorities.Validation, context.TargetCertificate, [.. context.IntermediateCertificates])).ShouldBeNull();
    }

    [Theory]
    [InlineData(CertificateKeyType.EcdsaP256, "1.2.840.10045.2.1", 256)]
    [InlineData(CertificateKeyType.Rsa2048, "1.2.840.113549.1.1.1", 2048)]
    [InlineData(CertificateKeyType.Rsa3072, "1.2.840.113549.1.1.1", 3072)]
    public async Task Keys_are_of_the_kind_that_is_asked_for(CertificateKeyType type, string oid, int bits)
    {
        await using var world = new AuthorityWorld(options: new() { KeyType = type });

        using var certificate = await world.NextCertificateAsync();

        certificate.PublicKey.Oid.Value.ShouldBe(oid);
        (certificate.GetRSAPrivateKey()?.KeySize ?? certificate.GetECDsaPrivateKey()!.KeySize).ShouldBe(bits);
        var names = world.Authority.Requests.ShouldHaveSingleItem().CertificateExtensions.Single();
        names.Oid!.Value.ShouldBe("2.5.29.17");
        names.Critical.ShouldBeTrue();
        (await Judgement.OfAsync((await world.Authorities.NextAsync()).Validation!, certificate)).ShouldBeNull();
    }

    [Theory]
    [InlineData(1, 0.50)]
    [InlineData(0, 0.49)]
    [InlineData(2, 0.51)]
    public async Task Renewal_comes_at_half_the_lifetime_give_or_take_a_hundredth(int draw, double share)
    {
        await using var world = new AuthorityWorld(random: new FixedRandom(draw switch { 0 => 0, 1 => 1UL << 63, _ => ulong.MaxValue }));
        var first = await world.NextCertificateAsync();
        var due = TimeSpan.FromHours(24) * share;

        await world.AdvanceAsync(due - TimeSpan.FromSeconds(1));
        await world.Time.WaitForTimersAsync(1);
        world.Authority.Requests.Count.ShouldBe(1);
        await world.AdvanceAsync(TimeSpan.FromSeconds(1));

        (await world.NextCertificateAsync()).SerialNumber.ShouldNotBe(first.SerialNumber);
    }

    [Fact]
    public async Task Sixty_renewals_are_sixty_keys_and_no_moment_without_a_valid_certificate()
    {
        await using var world = new AuthorityWorld();
        var certificate = await world.NextCertificateAsync();
        var keys = new HashSet<string>();
        for (var i = 0; i < 60; i++)
        {
            keys.Add(Convert.ToHexString(certificate.PublicKey.ExportSubjectPublicKeyInfo())).ShouldBeTrue();
            for (var hour = 0; hour < 12; hour++)
            {
                IsValid(certificate, world.Time.GetUtcNow()).ShouldBeTrue();
                await world.AdvanceAsync(TimeSpan.FromHours(1));
            }

            certificate = await world.NextCertificateAsync();
        }

        world.Authority.Requests.Count.ShouldBe(61);
        world.Authorities.NextAsync().IsCompletedSuccessfully.ShouldBeTrue();
        world.Authorities.HasMore.ShouldBeFalse("the authorities have not changed");
        world.Log.Entries.ShouldAllBe(e => e.Level <= LogLevel.Information);
    }

    [Fact]
    public async Task An_authority_that_is_away_is_asked_again_and_the_last_certificate_stays()
    {
        await using var world = new AuthorityWorld();
        var first = await world.NextCertificateAsync();
        world.Authority.Fault = new RpcException(StatusCode.Unavailable, "connection refused");
        await world.AdvanceAsync(Half);

        // 1 s, growing by 1.6 up to 120 s.
        foreach (var wait in new[] { 1, 1.6, 2.56, 4.096, 6.554, 10.486 })
        {
            var (error, isAmbient) = await world.Certificates.NextErrorAsync();
            error.Kind.ShouldBe(ResourceErrorKind.Unavailable);
            error.Message.ShouldBe("Unavailable: connection refused");
            isAmbient.ShouldBeTrue();
            world.Identity.Status.LastError.ShouldBe("Unavailable: connection refused");
            await world.AdvanceAsync(TimeSpan.FromSeconds(wait));
        }

        await world.Certificates.NextErrorAsync();
        world.Authority.Fault = null;
        await world.AdvanceAsync(TimeSpan.FromSeconds(17));

        IsValid(first, world.Time.GetUtcNow()).ShouldBeTrue();
        (await world.NextCertificateAsync()).SerialNumber.ShouldNotBe(first.SerialNumber);
        world.Identity.Status.LastError.ShouldBeNull();
        world.Log.Entries.Count(e => e.Level == LogLevel.Warning).ShouldBe(1, "the same reason is told once");

        // After a success waits are short again, and renewal is half the new lifetime away.
        await world.Time.WaitForTimersAsync(1);
        world.Authority.Requests.Count.ShouldBe(9);
    }

    [Fact]
    public async Task A_workload_that_has_never_had_a_certificate_says_so_and_goes_on_asking()
    {
        await using var world = new AuthorityWorld(a => a.Fault = new RpcException(StatusCode.Unauthenticated, "no token"));

        var (error, isAmbient) = await world.Certificates.NextErrorAsync();
        error.ShouldBe(new ResourceError(ResourceErrorKind.Invalid, "Unauthenticated: no token"));
        isAmbient.ShouldBeFalse();
        await world.Identity.Settled.WaitAsync(TimeSpan.FromSeconds(30));
        world.Identity.IsReady.ShouldBeFalse();
        world.Log.Entries.ShouldContain(e => e.Level == LogLevel.Warning && e.Text.Contains("has no identity yet: the certificate authority of the test: Unauthenticated: no token"));

        world.Authority.Fault = null;
        await world.AdvanceAsync(TimeSpan.FromSeconds(1));
        await world.Certificates.NextAsync();
        world.Identity.Status.LastError.ShouldBeNull();
    }

    [Fact]
    public async Task A_certificate_that_has_expired_is_told_of_as_an_error()
    {
        await using var world = new AuthorityWorld(a => a.Lifetime = TimeSpan.FromMinutes(2));
        await world.NextCertificateAsync();
        world.Authority.Fault = new RpcException(StatusCode.Unavailable, "away");
        await world.AdvanceAsync(TimeSpan.FromMinutes(1));
        await world.Certificates.NextErrorAsync();

        // From one attempt to the next (1 s, growing by 1.6, in whole milliseconds), so that none of them meets a clock that is on its way.
        for (var wait = TimeSpan.FromSeconds(1); world.Time.GetUtcNow() < Pki.Now + TimeSpan.FromMinutes(2); wait *= 1.6)
        {
            world.Log.Entries.ShouldAllBe(e => e.Level < LogLevel.Error);
            await world.AdvanceAsync(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)));
            await world.Certificates.NextErrorAsync();
        }

        world.Log.Entries.Single(e => e.Level == LogLevel.Error).Text.ShouldStartWith("The workload's certificate has expired at 2030-01-01 00:02:00Z");
    }

    [Fact]
    public async Task An_authority_that_does_not_answer_is_given_up()
    {
        var never = new TaskCompletionSource<IssuedCertificate>();
        var time = new Testing.ManualTimeProvider(Pki.Now);
        var source = new CertificateAuthoritySource(new Silent(never.Task), () => CallerCredentials.None, Mesh.Identity.SpiffeId.Parse(TestAuthority.Workload), new(), time, new SequenceRandomSource(1), new LogRecorder());
        await using var identity = new WorkloadIdentity(source, time, new LogRecorder());
        var recorder = new SecretRecorder();
        using var watch = identity.Watch(ISecretSource.Certificate, recorder);
        identity.Start();

        await time.WaitForTimerAsync(TimeSpan.FromSeconds(10)).WaitAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(10));

        (await recorder.NextErrorAsync()).Error.Message.ShouldBe("it has not answered in time");
    }

    [Fact]
    public async Task Both_roots_are_trusted_while_one_takes_the_place_of_the_other()
    {
        await using var world = new AuthorityWorld();
        var old = await world.NextCertificateAsync();
        await world.Authorities.NextAsync();
        var (first, second) = (world.Authority.Root, Pki.Authority("second"));

        world.Authority.OtherRoots.Add(second);
        await world.AdvanceAsync(Half);
        await world.NextCertificateAsync();
        var both = (await world.Authorities.NextAsync()).Validation!;
        (await Judgement.OfAsync(both, old)).ShouldBeNull();
        (await Judgement.OfAsync(both, Pki.Workload(second, TestAuthority.Workload))).ShouldBeNull();

        (world.Authority.Root, world.Authority.OtherRoots[0]) = (second, first);
        await world.AdvanceAsync(Half);
        var young = await world.NextCertificateAsync();
        young.Issuer.ShouldBe(second.Subject);

        world.Authority.OtherRoots.Clear();
        await world.AdvanceAsync(Half);
        await world.NextCertificateAsync();
        await world.Authorities.NextAsync();
        var last = (await world.Authorities.NextAsync()).Validation!;
        (await Judgement.OfAsync(last, Pki.Workload(second, TestAuthority.Workload))).ShouldBeNull();
        (await Judgement.OfAsync(last, Pki.Workload(first, TestAuthority.Workload))).ShouldNotBeNull();
    }

    public static TheoryData<string, string> SpoiltAnswers => new()
    {
        { "another key", "the certificate is for another key" },
        { "another root", "does not lead to the authorities that came with it" },
        { "two identities", "2 URIs" },
        { "no identity", "no workload's" },
        { "an authority", "may sign certificates" },
        { "expired", "certificate has expired" },
        { "not yet valid", "not yet valid" },
        { "no certificate", "there is no certificate in the chain" },
        { "no root", "there is no certificate in the authorities" },
        { "expired root", "certificate has expired" },
        { "broken PEM", "cannot be read" },
    };

    [Theory]
    [MemberData(nameof(SpoiltAnswers))]
    public async Task An_answer_that_does_not_hold_together_is_not_used(string how, string reason)
    {
        await using var world = new AuthorityWorld();
        var good = await world.NextCertificateAsync();
        await world.Authorities.NextAsync();
        var authority = world.Authority;
        authority.Spoil = answer => how switch
        {
            "another key" => authority.Sign(ECDsaKey(), TimeSpan.FromHours(1)),
            "another root" => answer with { Roots = Pki.Authority("another").ExportCertificatePem() },
            "two identities" => Resigned(() => authority.Uris = [TestAuthority.Workload, "spiffe://cluster.local/ns/default/sa/admin"]),
            "no identity" => Resigned(() => authority.Uris = ["https://example.com"]),
            "an authority" => authority.Sign(authority.Requests[^1].PublicKey, TimeSpan.FromHours(1), isAuthority: true),
            "expired" => authority.Sign(authority.Requests[^1].PublicKey, TimeSpan.FromMinutes(-1)),
            "not yet valid" => new TestAuthority(new Testing.ManualTimeProvider(world.Time.GetUtcNow().AddHours(1))) { Root = authority.Root }.Sign(authority.Requests[^1].PublicKey, TimeSpan.FromHours(1)),
            "no certificate" => answer with { Chain = "" },
            "no root" => answer with { Roots = "" },
            "expired root" => ExpiredRoot(),
            _ => answer with { Chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
        };

        await world.AdvanceAsync(Half);

        var (error, isAmbient) = await world.Certificates.NextErrorAsync();
        error.Message.ShouldContain(reason);
        isAmbient.ShouldBeTrue();
        (await world.Authorities.NextErrorAsync()).IsAmbient.ShouldBeTrue();
        world.Identity.Status.SerialNumber.ShouldBe(good.SerialNumber);
        world.Log.Entries.ShouldContain(e => e.Level == LogLevel.Warning && e.Text.Contains(reason) && e.Text.Contains("The one in use stays"));
        world.Log.Entries.ShouldAllBe(e => !e.Text.Contains("-----"));

        IssuedCertificate Resigned(Action change)
        {
            change();
            return authority.Sign(authority.Requests[^1].PublicKey, TimeSpan.FromHours(1));
        }

        IssuedCertificate ExpiredRoot()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=old", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            authority.Root = request.CreateSelfSigned(Pki.From, world.Time.GetUtcNow().AddSeconds(-1));
            return authority.Sign(authority.Requests[^1].PublicKey, TimeSpan.FromSeconds(-2) + TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public async Task Who_the_authority_says_the_workload_is_counts()
    {
        await using var world = new AuthorityWorld(a => a.Uris = ["spiffe://prod/ns/default/sa/reviews"]);

        await world.NextCertificateAsync();

        world.Identity.Status.Id.ToString().ShouldBe("spiffe://prod/ns/default/sa/reviews");
        world.Log.Entries.ShouldContain(e => e.Level == LogLevel.Warning && e.Text.Contains("spiffe://prod/ns/default/sa/reviews, which its settings say is spiffe://cluster.local/"));
    }

    private static bool IsValid(X509Certificate2 certificate, DateTimeOffset now) => certificate.NotBefore.ToUniversalTime() <= now.UtcDateTime && now.UtcDateTime < certificate.NotAfter.ToUniversalTime();

    private static PublicKey ECDsaKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new PublicKey(key);
    }

    private sealed class FixedRandom(ulong draw) : IRandomSource
    {
        public ulong NextUInt64() => draw;
    }

    private sealed class Silent(Task<IssuedCertificate> answer) : ICertificateIssuer
    {
        public string Target => "that is silent";

        public Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken) => answer;
    }
}
