using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Tests.Inbound.Http;

public sealed class ForwardedClientCertTests
{
    private const string Caller = "spiffe://cluster.local/ns/default/sa/productpage";
    private const string Own = "spiffe://cluster.local/ns/default/sa/reviews";

    private static readonly ForwardedClientCert All = new(ForwardedClientCertAction.SanitizeSet) { Cert = true, Chain = true, Dns = true, Subject = true, Uri = true };

    [Fact]
    public void Tells_what_istio_asks_for()
    {
        var connection = Connection("", uri: Caller);

        new ForwardedClientCert(ForwardedClientCertAction.AppendForward) { Subject = true, Uri = true, Dns = true }
            .ValueOf(connection)
            .ShouldBe($"By={Own};Hash={connection.PeerSha256};Subject=\"\";URI={Caller}");
    }

    [Fact]
    public void Tells_everything_in_envoys_order()
    {
        var connection = Connection("CN=productpage,O=\"Books, more\"", Caller, "a.example", "b.example");
        var pem = (connection.PeerCertificate!.ExportCertificatePem() + "\n")
            .Replace("\n", "%0A").Replace(" ", "%20").Replace("+", "%2B").Replace("/", "%2F").Replace("=", "%3D");

        All.ValueOf(connection).ShouldBe(
            $"By={Own};Hash={connection.PeerSha256};Cert=\"{pem}\";Chain=\"{pem}\";Subject=\"CN=productpage,O=Books\\, more\";URI={Caller};DNS=a.example;DNS=b.example");
    }

    [Fact]
    public void A_certificate_without_a_uri_has_an_empty_one()
        => new ForwardedClientCert(ForwardedClientCertAction.SanitizeSet) { Uri = true }.ValueOf(Connection("CN=a")).ShouldEndWith(";URI=");

    [Fact]
    public void A_name_cannot_become_another_element()
        => new ForwardedClientCert(ForwardedClientCertAction.SanitizeSet) { Uri = true, Dns = true }
            .ValueOf(Connection("CN=a", "spiffe://a/x;By=spiffe://b,URI=spiffe://b/c"))
            .ShouldEndWith(";URI=spiffe://a/x%3BBy%3Dspiffe://b%2CURI%3Dspiffe://b/c");

    private static ConnectionFacts Connection(string subject, string? uri = null, params string[] dns)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (uri is not null)
        {
            names.AddUri(new Uri(uri));
        }

        foreach (var name in dns)
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        return new ConnectionFacts
        {
            IsTls = true,
            LocalUriName = Own,
            PeerCertificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(60)),
        };
    }
}
