using System.Security.Cryptography.X509Certificates;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.TestNet;

namespace Mesh.Client.Tests.Tls;

/// <summary>Certificates by which somebody else would pass for <c>reviews</c>: each is refused before a byte of the request is sent, and told of once.</summary>
public sealed class SecureNamingTests
{
    private const string Verify = "268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: ";
    private const string Chain = Verify + "X509_verify_cert: certificate verification error at depth ";
    private static readonly string Reviews = WorkloadCertificates.Account("reviews");

    [Fact]
    public Task A_second_identity_beside_the_right_one()
        => Refused(root => root.IssueStrange(r => r.CertificateExtensions.Add(WorkloadCertificates.Uris(Reviews, WorkloadCertificates.Account("ratings")))), Verify + "cert precheck");

    [Fact]
    public Task The_same_name_in_another_trust_domain()
        => Refused(root => root.IssueStrange(r => r.CertificateExtensions.Add(WorkloadCertificates.Uris("spiffe://other.domain/ns/default/sa/reviews"))), Verify + "verify SAN list");

    [Theory]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews2", "verify SAN list")]
    [InlineData("spiffe://cluster.local/ns/default/sa/Reviews", "verify SAN list")]
    [InlineData("https://cluster.local/ns/default/sa/reviews", "verify SAN list")]
    [InlineData("spiffe://cluster.local/ns/default/sa/reviews/", "cert precheck")]
    [InlineData("spiffe://cluster.local/ns/default/sa/%72eviews", "cert precheck")]
    [InlineData("spiffe://user@cluster.local/ns/default/sa/reviews", "cert precheck")]
    public Task A_name_that_looks_like_it(string uri, string reason)
        => Refused(root => root.IssueStrange(r => r.CertificateExtensions.Add(WorkloadCertificates.Uris(uri))), Verify + reason);

    [Fact]
    public Task A_common_name_is_none()
        => Refused(root => root.IssueStrange(_ => { }, subject: $"CN={Reviews}"), Verify + "verify SAN list");

    [Fact]
    public Task A_DNS_name_is_none()
        => Refused(
            root => root.IssueStrange(r =>
            {
                var names = new SubjectAlternativeNameBuilder();
                names.AddDnsName("reviews");
                r.CertificateExtensions.Add(names.Build());
            }),
            Verify + "verify SAN list");

    [Fact]
    public Task A_certificate_that_has_expired()
        => Refused(root => root.IssueWorkload("reviews", until: new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero)), Chain + "0: certificate has expired");

    [Fact]
    public Task A_certificate_for_clients_only()
        => Refused(
            root => root.IssueStrange(r => r.CertificateExtensions.Add(WorkloadCertificates.Uris(Reviews)), usage: WorkloadCertificates.ClientAuthentication),
            Chain + "0: unsuitable certificate purpose");

    [Fact]
    public Task A_certificate_that_nobody_has_signed()
        => Refused(
            root => root.IssueStrange(r => r.CertificateExtensions.Add(WorkloadCertificates.Uris(Reviews)), selfSigned: true),
            Chain + "0: self-signed certificate");

    [Fact]
    public async Task An_authority_of_another_mesh()
    {
        using var other = new TestCertificateAuthority("Mesh");
        await Refused(_ => other.IssueWorkload("reviews"), Chain);
    }

    // Without names any workload will do, and nothing but a workload.
    [Fact]
    public async Task A_server_of_no_name_is_still_to_be_a_workload()
    {
        var anybody = MutualTlsWorld.Context();
        anybody.CommonTlsContext.CombinedValidationContext.DefaultValidationContext.MatchTypedSubjectAltNames.Clear();
        await Refused(root => root.Issue("reviews.example"), Verify + "verify SAN list", anybody);

        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(anybody, server.Port);
        (await world.GetAsync()).Status.ShouldBe(200);
    }

    private static async Task Refused(Func<TestCertificateAuthority, X509Certificate2> issue, string reason, UpstreamTlsContext? context = null)
    {
        await using var world = new MutualTlsWorld().Identify();
        using var certificate = issue(world.Root);
        var server = await world.StartAsync(certificate);
        world.Serve(context ?? MutualTlsWorld.Context(), server.Port);

        var first = await world.GetAsync();
        var second = await world.GetAsync();

        first.Status.ShouldBe(503);
        first.Body.ShouldContain("transport failure reason: TLS_error:|" + reason);
        first.Body.ShouldEndWith(":TLS_error_end");
        second.Status.ShouldBe(503);
        server.Seen.ShouldBeEmpty();
        world.Mesh.Logs.Lines.Where(l => l.Contains("There is no TLS with")).ShouldHaveSingleItem().ShouldContain(reason);
    }
}
