using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Xds.Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>The certificate of the control plane's own TLS port: by its authority, renewed at half of its life and when the authority changes.</summary>
internal sealed class ServerCertificate(IIssuerSource issuers, IReadOnlyCollection<string> names, MeshControlPlaneAuthorityOptions options, TimeProvider time) : IServerCertificateSource
{
    private readonly Lock _gate = new();
    private (SslStreamCertificateContext Context, Issuer Issuer, DateTimeOffset RenewAt)? _current;

    public SslStreamCertificateContext Current
    {
        get
        {
            var issuer = IssuerNow();
            lock (_gate)
            {
                if (_current is { } current && ReferenceEquals(current.Issuer, issuer) && time.GetUtcNow() < current.RenewAt)
                {
                    return current.Context;
                }

                var context = Create(issuer);
                _current = (context, issuer, time.GetUtcNow() + (options.Lifetime / 2));
                return context;
            }
        }
    }

    /// <summary>The names under which clients look for a control plane: Istio's, this machine's, and those that are set.</summary>
    public static IReadOnlyCollection<string> NamesOf(MeshControlPlaneAuthorityOptions options, string clusterDomain)
        => [.. new[]
            {
                "istiod.istio-system.svc",
                $"istiod.istio-system.svc.{clusterDomain}",
                "istiod.istio-system",
                "localhost",
                Dns.GetHostName(),
                "127.0.0.1",
                "::1",
            }
            .Concat(options.ServerNames).Where(name => name.Length > 0 && name.All(char.IsAscii)).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>What cannot be had anew does not close the port: the certificate in hand serves on.</summary>
    private Issuer IssuerNow()
    {
        try
        {
            return issuers.Current;
        }
        catch (AuthorityException) when (_current is not null)
        {
            return _current.Value.Issuer;
        }
    }

    private SslStreamCertificateContext Create(Issuer issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName(""), new PublicKey(key), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        var san = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                san.AddIpAddress(address);
            }
            else
            {
                san.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(san.Build(critical: true));
        using var signed = issuer.Sign(request, time.GetUtcNow(), options.Lifetime, options.ClockSkew);
        var certificate = signed.CopyWithPrivateKey(key);
        if (OperatingSystem.IsWindows())
        {
            // SChannel takes no key that was never stored.
            using var ephemeral = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
        }

        return SslStreamCertificateContext.Create(certificate, [.. issuer.Intermediates], offline: true);
    }
}
