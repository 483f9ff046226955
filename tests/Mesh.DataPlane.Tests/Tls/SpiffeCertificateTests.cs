using System.Security.Cryptography.X509Certificates;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>Certificates that say who a workload is, and such as only seem to.</summary>
public sealed class SpiffeCertificateTests
{
    private const string Reviews = "spiffe://cluster.local/ns/default/sa/reviews";
    private static readonly X509Certificate2 _root = Pki.Authority("root");

    [Fact]
    public async Task A_workload_is_believed_to_be_who_its_certificate_says()
    {
        var between = Pki.Authority("between", _root);

        (await JudgeAsync(Pki.Workload(_root, Reviews))).ShouldBeNull();
        (await Judgement.OfAsync(Context(), Pki.Workload(between, Reviews), between)).ShouldBeNull();
        (await Judgement.OfAsync(CertificateValidationCompiler.Compile(Context(), "c"), Pki.Workload(_root, Reviews), [], isClient: true)).ShouldBeNull();
    }

    [Fact]
    public async Task A_workload_that_is_not_named_is_refused()
    {
        (await JudgeAsync(Pki.Workload(_root, "spiffe://cluster.local/ns/default/sa/reviews2"), exact: Reviews))!.Value.Reason.ShouldBe("verify SAN list");
        (await JudgeAsync(Pki.Workload(_root, "spiffe://cluster.local.evil/ns/default/sa/reviews")))!.Value.Reason.ShouldBe("verify SAN list");
    }

    [Theory]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews", "spiffe://cluster.local/ns/default/sa/admin")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews", "https://example.com/")]
    [InlineData("https://example.com/", "spiffe://cluster.local/ns/default/sa/reviews")]
    [InlineData("spiffe://user@cluster.local/ns/default/sa/reviews")]
    [InlineData("spiffe://cluster.local@evil.example/ns/default/sa/reviews")]
    [InlineData("spiffe://cluster.local:443/ns/default/sa/reviews")]
    [InlineData("spiffe://cluster.local/ns%2fdefault/sa/reviews")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews%00")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews\0")]
    [InlineData("spiffe://CLUSTER.local/ns/default/sa/reviews")]
    [InlineData("SPIFFE://cluster.local/ns/default/sa/reviews")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews?x")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews#x")]
    [InlineData("spiffe://cluster.local/ns/default//sa/reviews")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews/")]
    [InlineData("spiffe://cluster.local/ns/other/../default/sa/reviews")]
    [InlineData("spiffe://cluster.local/./ns/default/sa/reviews")]
    [InlineData("spiffe://cluster.local/")]
    [InlineData("spiffe://cluster.local")]
    [InlineData("spiffe:cluster.local/ns/default/sa/reviews")]
    public async Task What_only_looks_like_an_identity_is_refused_whatever_the_matcher_says(params string[] uris)
    {
        // A matcher that takes every one of them.
        var context = Context();
        context.MatchTypedSubjectAltNames[0].Matcher = new() { SafeRegex = new() { Regex = "(?s).*" } };

        (await Judgement.OfAsync(context, Pki.Workload(_root, uris)))!.Value.Reason.ShouldBe("cert precheck");
    }

    [Fact]
    public async Task An_identity_of_more_than_2048_bytes_is_none()
        => (await JudgeAsync(Pki.Workload(_root, "spiffe://cluster.local/" + new string('a', 2048))))!.Value.Reason.ShouldBe("cert precheck");

    [Fact]
    public async Task An_identity_in_any_other_place_than_a_URI_is_none()
    {
        (await JudgeAsync(Pki.Leaf(_root, _ => { }, $"CN={Reviews}")))!.Value.Reason.ShouldBe("verify SAN list");
        (await JudgeAsync(Pki.Leaf(_root, r => r.CertificateExtensions.Add(Pki.Names(2, Reviews)))))!.Value.Reason.ShouldBe("verify SAN list");
        (await JudgeAsync(Pki.Leaf(_root, r => r.CertificateExtensions.Add(Pki.Names(1, Reviews)))))!.Value.Reason.ShouldBe("verify SAN list");
    }

    [Fact]
    public async Task Whoever_may_sign_certificates_is_no_workload()
    {
        (await JudgeAsync(Leaf(isAuthority: true)))!.Value.Reason.ShouldBe("cert precheck");
        (await JudgeAsync(Leaf(usage: X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign)))!.Value.Reason.ShouldBe("cert precheck");
        (await JudgeAsync(Leaf(usage: X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.CrlSign)))!.Value.Reason.ShouldBe("cert precheck");
    }

    [Fact]
    public async Task A_certificate_is_for_what_it_says_that_it_is_for()
    {
        (await JudgeAsync(Leaf(purposes: [Pki.ClientAuthentication])))!.Value.Reason.ShouldContain("unsuitable certificate purpose");
        var asClient = await Judgement.OfAsync(CertificateValidationCompiler.Compile(Context(), "c"), Leaf(purposes: [Pki.ServerAuthentication]), [], isClient: true);
        asClient!.Value.Reason.ShouldContain("unsuitable certificate purpose");
    }

    [Fact]
    public async Task A_certificate_counts_in_its_time_only()
    {
        (await JudgeAsync(Leaf(until: Pki.Now.AddSeconds(-1))))!.Value.Reason.ShouldEndWith("at depth 0: certificate has expired");
        (await JudgeAsync(Leaf(from: Pki.Now.AddSeconds(1))))!.Value.Reason.ShouldEndWith("at depth 0: certificate is not yet valid");
    }

    [Fact]
    public async Task Nobody_vouches_for_himself()
    {
        (await JudgeAsync(Pki.Leaf(null, r => r.CertificateExtensions.Add(Pki.Uris(Reviews)))))!.Value.Reason.ShouldEndWith("at depth 0: self-signed certificate");
        (await JudgeAsync(Pki.Workload(Pki.Authority("root"), Reviews)))!.Value.Reason.ShouldContain("X509_verify_cert");
    }

    [Fact]
    public async Task A_workload_cannot_make_others()
    {
        using var reviews = Pki.Workload(_root, Reviews);

        var refusal = await Judgement.OfAsync(Context(), Pki.Workload(reviews, "spiffe://cluster.local/ns/default/sa/admin"), reviews);

        refusal!.Value.Reason.ShouldContain("X509_verify_cert");
    }

    [Fact]
    public async Task Certificates_that_claim_no_identity_are_held_to_what_is_asked_alone()
    {
        var context = Context();
        context.MatchTypedSubjectAltNames[0].Matcher = new() { Prefix = "https://" };

        (await Judgement.OfAsync(context, Pki.Workload(_root, "https://a.example/", "https://b.example/"))).ShouldBeNull();
    }

    private static X509Certificate2 Leaf(
        DateTimeOffset? from = null, DateTimeOffset? until = null, bool isAuthority = false, X509KeyUsageFlags usage = X509KeyUsageFlags.DigitalSignature, string[]? purposes = null)
        => Pki.Leaf(_root, r => r.CertificateExtensions.Add(Pki.Uris(Reviews)), "", from, until, isAuthority, usage, purposes);

    private static Task<(string Reason, string Explanation)?> JudgeAsync(X509Certificate2 certificate, string? exact = null)
    {
        var context = Context();
        if (exact is not null)
        {
            context.MatchTypedSubjectAltNames[0].Matcher = new() { Exact = exact };
        }

        return Judgement.OfAsync(context, certificate);
    }

    private static CertificateValidationContext Context() => new()
    {
        TrustedCa = new() { InlineString = _root.ExportCertificatePem() },
        MatchTypedSubjectAltNames = { new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Uri, Matcher = new() { Prefix = "spiffe://cluster.local/" } } },
    };
}
