using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>What is wrong with a chain of certificates, in the words of OpenSSL, which are Envoy's.</summary>
internal static class ChainErrors
{
    private const string Prefix = "X509_verify_cert: certificate verification error at depth ";

    /// <param name="chain">What the framework has built; <see langword="null"/> when it had nothing to build from.</param>
    /// <param name="allowExpired">Whether it is no matter that a certificate has expired.</param>
    /// <param name="maxDepth">How many certificates may be between the peer's and the authority's.</param>
    /// <param name="isGiven">Whether a certificate is one of the given authorities': as in Envoy, one of those may itself be signed by another, which is not given.</param>
    /// <returns><see langword="null"/> when nothing is.</returns>
    public static string? Of(X509Chain? chain, bool allowExpired = false, uint? maxDepth = null, Func<X509Certificate2, bool>? isGiven = null)
    {
        if (chain is null || chain.ChainElements.Count == 0)
        {
            return At(0, "unspecified certificate verification error");
        }

        var last = chain.ChainElements.Count - 1;
        var now = chain.ChainPolicy.VerificationTime.ToLocalTime();
        for (var depth = 0; depth <= last; depth++)
        {
            var certificate = chain.ChainElements[depth].Certificate;
            foreach (var status in chain.ChainElements[depth].ChainElementStatus)
            {
                var text = status.Status switch
                {
                    X509ChainStatusFlags.NoError => null,
                    X509ChainStatusFlags.NotTimeValid when certificate.NotBefore > now => "certificate is not yet valid",
                    X509ChainStatusFlags.NotTimeValid => allowExpired ? null : "certificate has expired",
                    X509ChainStatusFlags.PartialChain when depth == last && isGiven?.Invoke(certificate) == true => null,
                    X509ChainStatusFlags.PartialChain => "unable to get local issuer certificate",
                    X509ChainStatusFlags.UntrustedRoot when last == 0 => "self-signed certificate",
                    X509ChainStatusFlags.UntrustedRoot => "self-signed certificate in certificate chain",
                    X509ChainStatusFlags.NotSignatureValid => "certificate signature failure",
                    X509ChainStatusFlags.NotValidForUsage => "unsuitable certificate purpose",
                    X509ChainStatusFlags.RevocationStatusUnknown or X509ChainStatusFlags.OfflineRevocation => null,
                    var other => other.ToString(),
                };
                if (text is not null)
                {
                    return At(depth, text);
                }
            }
        }

        // The peer's own and the authority's do not count.
        return last - 1 > maxDepth ? At(last, "certificate chain too long") : null;
    }

    /// <param name="depth">Which certificate it is: 0 for the peer's own.</param>
    /// <param name="text">What OpenSSL says of it.</param>
    public static string At(int depth, string text) => $"{Prefix}{depth}: {text}";
}
