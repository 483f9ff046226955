using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Xds.Certificates;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>Requests for certificates, as workloads make them.</summary>
internal static class Requests
{
    public static CertificateSigningRequest New(string? uri = null, TimeSpan? validity = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return New(key, uri, validity);
    }

    public static CertificateSigningRequest New(AsymmetricAlgorithm key, string? uri = null, TimeSpan? validity = null)
    {
        var request = key is ECDsa ec
            ? new CertificateRequest("CN=anything", ec, HashAlgorithmName.SHA256)
            : new CertificateRequest("CN=anything", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (uri is not null)
        {
            var san = new SubjectAlternativeNameBuilder();
            san.AddUri(new Uri(uri));
            san.AddDnsName("anything.example");
            request.CertificateExtensions.Add(san.Build());
        }

        return new CertificateSigningRequest(request.CreateSigningRequest(), validity);
    }

    public static IReadOnlyList<X509Certificate2> Certificates(string pem)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPem(pem);
        return [.. found];
    }

    public static string[] UrisOf(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.Single(e => e.Oid!.Value == "2.5.29.17");
        return Mesh.ControlPlane.Security.SubjectAltName.TryReadUris(extension.RawData, out var uris) ? [.. uris] : [];
    }
}
