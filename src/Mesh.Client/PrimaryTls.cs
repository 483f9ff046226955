using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tls;

namespace Mesh.Client;

/// <summary>What a client's primary handler says of TLS, which holds for its own <c>https</c> requests to hosts of the mesh as it does for all others.</summary>
internal static class PrimaryTls
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <returns><see langword="null"/> when it says nothing.</returns>
    public static CallerTls? Of(HttpMessageHandler primary)
        => primary switch
        {
            SocketsHttpHandler h => IsSilent(h.SslOptions) ? null : new CallerTls(h.SslOptions),
            HttpClientHandler h => Of(h),
            _ => null,
        };

    private static CallerTls? Of(HttpClientHandler handler)
    {
        var hasCertificates = handler is { ClientCertificateOptions: ClientCertificateOption.Manual, ClientCertificates.Count: > 0 };
        if (!hasCertificates && handler is { ServerCertificateCustomValidationCallback: null, SslProtocols: SslProtocols.None, CheckCertificateRevocationList: false })
        {
            return null;
        }

        return new CallerTls(new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = handler.SslProtocols,
            CertificateRevocationCheckMode = handler.CheckCertificateRevocationList ? X509RevocationMode.Online : X509RevocationMode.NoCheck,

            // As in HttpClientHandler a certificate that is given is shown, whichever authorities the server would like best.
            LocalCertificateSelectionCallback = hasCertificates ? (_, _, _, _, _) => Eligible(handler.ClientCertificates)! : null,
        })
        {
            Validate = handler.ServerCertificateCustomValidationCallback,
        };
    }

    private static bool IsSilent(SslClientAuthenticationOptions options)
        => options is
        {
            TargetHost: null,
            ClientCertificateContext: null,
            ClientCertificates: null or { Count: 0 },
            LocalCertificateSelectionCallback: null,
            RemoteCertificateValidationCallback: null,
            CertificateChainPolicy: null,
            CipherSuitesPolicy: null,
            EnabledSslProtocols: SslProtocols.None,
            CertificateRevocationCheckMode: X509RevocationMode.NoCheck,
            AllowRenegotiation: true,
            AllowTlsResume: true,
        }
        && (!(OperatingSystem.IsLinux() || OperatingSystem.IsWindows()) || (options.AllowRsaPkcs1Padding && options.AllowRsaPssPadding));

    private static X509Certificate2? Eligible(X509CertificateCollection certificates)
        => certificates.OfType<X509Certificate2>().FirstOrDefault(c => c.HasPrivateKey
            && c.Extensions.OfType<X509EnhancedKeyUsageExtension>().All(usage => usage.EnhancedKeyUsages[ClientAuthentication] is not null));
}
