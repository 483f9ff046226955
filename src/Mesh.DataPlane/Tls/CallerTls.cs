using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>TLS that the caller speaks itself, by an <c>https</c> URI: to the host that it names, by its own settings, whatever the cluster says of TLS.</summary>
internal sealed class CallerTls
{
    /// <summary>That of a client without settings: the system's authorities, the host's own name.</summary>
    public static CallerTls Default { get; } = new();

    /// <exception cref="TlsFailureException">There is no handshake, or the peer is not the host.</exception>
    public async ValueTask AuthenticateAsync(SslStream stream, string host, IReadOnlyList<SslApplicationProtocol> protocols, TimeProvider time, CancellationToken cancellationToken)
    {
        TlsFailureException? failure = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ApplicationProtocols = protocols.Count == 0 ? null : [.. protocols],
            CertificateChainPolicy = new X509ChainPolicy
            {
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTimeIgnored = false,
                VerificationTime = time.GetUtcNow().UtcDateTime,
            },
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (failure = Judge(host, certificate, chain, errors)) is null,
        };
        try
        {
            await stream.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException)
            {
                throw;
            }

            throw failure ?? TlsErrors.Of(e);
        }
    }

    private static TlsFailureException? Judge(string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return new TlsFailureException(TlsErrors.Unverified("peer did not return a certificate"), $"{host} has shown no certificate.");
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
            ? new TlsFailureException(
                TlsErrors.Unverified(ChainErrors.Of(chain) ?? "unspecified certificate verification error"),
                $"The certificate that {host} has shown, issued by '{certificate?.Issuer}', is not accepted: {ChainErrors.Of(chain)}.")
            : new TlsFailureException(TlsErrors.WrongName, $"The certificate is not for {host}.");
    }
}
