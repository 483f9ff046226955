using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tls;

/// <summary>One client's handshake, whose failure says what Envoy would say.</summary>
internal static class TlsHandshake
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    // One certificate makes many handshakes.
    private static readonly ConditionalWeakTable<SslStreamCertificateContext, string> Identities = [];

    /// <summary>By what a cluster says of TLS.</summary>
    /// <param name="stream">The connection; disposed when there is no handshake.</param>
    /// <param name="tls">What the cluster says.</param>
    /// <param name="requestHost">The host of the request that the connection is for; <see langword="null"/> when it is for none.</param>
    /// <param name="endpointHost">The host name of the endpoint, if it has one.</param>
    /// <param name="protocols">The protocols to offer.</param>
    /// <param name="time">The clock that certificates are held to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What the connection rests on from now on.</returns>
    /// <exception cref="TlsFailureException">There is no handshake, or the peer is not who it should be.</exception>
    public static async ValueTask<TlsSession> AuthenticateAsync(
        SslStream stream, UpstreamTls tls, string? requestHost, string? endpointHost, IReadOnlyList<string> protocols, TimeProvider time, CancellationToken cancellationToken)
    {
        TlsFailureException? failure = null;
        try
        {
            var serverName = tls.ServerNameSource switch
            {
                ServerNameSource.Request => requestHost ?? "",
                ServerNameSource.Endpoint when !string.IsNullOrEmpty(endpointHost) => endpointHost,
                _ => tls.ServerName,
            };

            var validation = tls.CurrentValidation();
            var certificate = tls.CurrentCertificate();

            // The system's authorities sign for everybody: with nothing said of names, only the host's own makes a certificate of theirs worth anything.
            var verifiesServerName = tls.VerifiesServerName || (validation is { Trust: TrustMode.System, Names.Count: 0 } && !tls.VerifiesRequestHost);

            // With no name to ask for, the certificate must be for the host all the same.
            var host = verifiesServerName ? (serverName.Length > 0 ? serverName : requestHost ?? "") : tls.VerifiesRequestHost ? requestHost ?? "" : null;
            var judged = false;
            List<byte[]> intermediates = [];
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                EnabledSslProtocols = tls.Protocols,
                AllowRenegotiation = tls.AllowsRenegotiation,
                AllowTlsResume = tls.AllowsResumption && ResumptionScopes.MayResume(certificate, serverName, validation, host),
                ApplicationProtocols = protocols.Count == 0 ? null : [.. protocols.Select(p => new SslApplicationProtocol(p))],
                ClientCertificateContext = certificate,
                CertificateChainPolicy = validation.CreateChainPolicy(time),
                RemoteCertificateValidationCallback = (_, shown, chain, _) =>
                {
                    judged = true;
                    failure = Judge(tls, validation, shown as X509Certificate2, chain, host);
                    intermediates.AddRange(Between(chain));
                    return failure is null;
                },
            };
            if (tls.CipherSuites is { } suites && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()))
            {
                options.CipherSuitesPolicy = new CipherSuitesPolicy(suites);
            }

            await stream.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            var peer = stream.RemoteCertificate as X509Certificate2;
            if (!judged && (failure = peer is null ? Judge(tls, validation, null, null, host) : TlsSession.Verify(tls, validation, peer, intermediates, host, time)) is not null)
            {
                // A resumed session is not believed for having been believed once.
                throw failure;
            }

            return new TlsSession(tls, host, validation, peer is null ? null : CertificateFacts.Of(peer).Encoded, intermediates, IdentityOf(certificate), EndOf(certificate?.TargetCertificate, peer))
            {
                Principals = new Principals(PrincipalOf(certificate?.TargetCertificate), PrincipalOf(peer)),
            };
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

    /// <summary>As whom a certificate shows its holder.</summary>
    public static string? IdentityOf(SslStreamCertificateContext? certificate)
        => certificate is null ? null : Identities.GetValue(certificate, static c => c.TargetCertificate.Subject + " " + SubjectAltNames.Of(c.TargetCertificate));

    // Whichever ends first: a connection proves no more than both of its certificates do.
    private static DateTimeOffset? EndOf(X509Certificate2? own, X509Certificate2? peer)
    {
        var (ours, theirs) = (own?.NotAfter.ToUniversalTime(), peer?.NotAfter.ToUniversalTime());
        return ours is null || theirs < ours ? theirs : ours;
    }

    private static string PrincipalOf(X509Certificate2? certificate)
        => certificate is not null && CertificateFacts.Of(certificate).UriNames is [var first, ..] ? first : "";

    /// <summary>Judges what a peer has shown.</summary>
    /// <returns><see langword="null"/> when it is who it should be.</returns>
    public static TlsFailureException? Judge(UpstreamTls tls, CertificateValidation validation, X509Certificate2? certificate, X509Chain? chain, string? host)
    {
        if (validation.Verify(certificate, chain, host, onlyHost: tls.VerifiesServerName) is { } refusal)
        {
            return new TlsFailureException(TlsErrors.Unverified(refusal.Reason), refusal.Explanation);
        }

        // The authorities of the mesh may have signed for others than workloads.
        if (tls.AsksForWorkload && validation.Trust != TrustMode.Anybody && certificate is not null
            && SpiffeCertificate.Check(certificate, SubjectAltNames.Of(certificate), isRequired: true, out _) is { } stranger)
        {
            return new TlsFailureException(TlsErrors.WrongName, stranger.Explanation);
        }

        return tls.EnforcesKeyUsage && !IsForSignatures(certificate)
            ? new TlsFailureException(TlsErrors.WrongKeyUsage, "The certificate's key is not for signatures.")
            : null;
    }

    // Neither the peer's own nor the authority's, which is known.
    private static IEnumerable<byte[]> Between(X509Chain? chain)
    {
        for (var depth = 1; depth < chain?.ChainElements.Count; depth++)
        {
            var certificate = chain.ChainElements[depth].Certificate;
            if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData))
            {
                yield return certificate.RawData;
            }
        }
    }

    private static bool IsForSignatures(X509Certificate2? certificate)
        => certificate?.GetKeyAlgorithm() != "1.2.840.113549.1.1.1"
            || certificate.Extensions.OfType<X509KeyUsageExtension>().All(usage => usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature));
}
