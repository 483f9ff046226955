using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Tls;

/// <summary>What a secure connection rests on: whom the peer has shown itself to be, by which settings, and as whom this end has.</summary>
/// <param name="tls">The settings.</param>
/// <param name="host">The host that the certificate had to be for; <see langword="null"/> for any.</param>
/// <param name="validation">What the peer was held to.</param>
/// <param name="peer">The peer's certificate, as it came.</param>
/// <param name="intermediates">What came with it.</param>
/// <param name="identity">As whom this end has shown itself; <see langword="null"/> as nobody.</param>
/// <param name="expires">When the first of the two ends' certificates does; <see langword="null"/> for never.</param>
internal sealed class TlsSession(
    UpstreamTls tls, string? host, CertificateValidation validation, byte[]? peer, IReadOnlyList<byte[]> intermediates, string? identity, DateTimeOffset? expires)
{
    private CertificateValidation _validation = validation;

    public DateTimeOffset? Expires => expires;

    /// <summary>Whether this end has shown the workload's own certificate.</summary>
    public bool IsMesh => tls.IsMesh;

    /// <summary>Who both ends are by their certificates, for what is told of the connection.</summary>
    public Principals Principals { get; init; } = Principals.None;

    /// <summary>Whether it could still be made, as secrets are now: the same certificate accepted, and shown to the same one.</summary>
    public bool IsTrusted(TimeProvider time)
    {
        try
        {
            if (TlsHandshake.IdentityOf(tls.CurrentCertificate()) != identity)
            {
                return false;
            }

            var now = tls.CurrentValidation();
            if (ReferenceEquals(now, _validation))
            {
                return true;
            }

            if (!IsAccepted(now, time))
            {
                return false;
            }

            _validation = now;
            return true;
        }
        catch (TlsFailureException)
        {
            // What was good stays until there is something better.
            return true;
        }
    }

    private bool IsAccepted(CertificateValidation now, TimeProvider time)
    {
        if (peer is null)
        {
            return TlsHandshake.Judge(tls, now, null, null, host) is null;
        }

        using var certificate = X509CertificateLoader.LoadCertificate(peer);
        return Verify(tls, now, certificate, intermediates, host, time) is null;
    }

    /// <summary>Judges a certificate whose chain nobody has built yet.</summary>
    public static TlsFailureException? Verify(
        UpstreamTls tls, CertificateValidation validation, X509Certificate2 certificate, IReadOnlyList<byte[]> intermediates, string? host, TimeProvider time)
    {
        using var chain = new X509Chain { ChainPolicy = validation.CreateChainPolicy(time) };
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(TlsHandshake.ServerAuthentication));
        foreach (var intermediate in intermediates)
        {
            chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(intermediate));
        }

        chain.Build(certificate);
        try
        {
            return TlsHandshake.Judge(tls, validation, certificate, chain, host);
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }
}
