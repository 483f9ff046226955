using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>What is remembered of a certificate is that certificate's.</summary>
public sealed class CertificateFactsTests
{
    [Fact]
    public void The_same_certificate_is_read_once_whoever_shows_it()
    {
        using var root = Pki.Authority("Root");
        using var certificate = Pki.Workload(root, "spiffe://cluster.local/ns/default/sa/client");
        using var again = X509CertificateLoader.LoadCertificate(certificate.RawData);

        var facts = CertificateFacts.Of(certificate);

        facts.UriNames.ShouldBe(["spiffe://cluster.local/ns/default/sa/client"]);
        facts.Identity!.Value.ServiceAccount.ShouldBe("client");
        facts.IsAuthority(certificate).ShouldBeFalse();
        facts.Sha256.ShouldBe(certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant());
        CertificateFacts.Of(again).ShouldBeSameAs(facts);
    }

    [Fact]
    public void More_certificates_than_there_are_places_are_all_told_apart()
    {
        using var root = Pki.Authority("Root");
        var certificates = Enumerable.Range(0, 700).Select(i => Pki.Workload(root, $"spiffe://cluster.local/ns/default/sa/account-{i}")).ToList();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < certificates.Count; i++)
            {
                CertificateFacts.Of(certificates[i]).Identity!.Value.ServiceAccount.ShouldBe($"account-{i}");
            }
        }

        certificates.ForEach(c => c.Dispose());
    }

    [Fact]
    public void A_certificate_with_two_identities_has_none_and_an_authority_is_known_for_one()
    {
        using var root = Pki.Authority("Root");
        using var two = Pki.Workload(root, "spiffe://cluster.local/ns/default/sa/a", "spiffe://cluster.local/ns/default/sa/b");

        CertificateFacts.Of(two).Identity.ShouldBeNull();
        CertificateFacts.Of(two).UriNames.Length.ShouldBe(2);
        CertificateFacts.Of(root).IsAuthority(root).ShouldBeTrue();
    }
}
