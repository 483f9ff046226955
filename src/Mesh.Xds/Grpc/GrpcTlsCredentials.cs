using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Xds.Grpc;

/// <summary>
/// TLS credentials of a channel, from files (gRFC A65). The files are read anew for connections made after <see cref="RefreshInterval"/>,
/// so that a rotated certificate is used without a restart; a file that cannot be read keeps the last good one.
/// </summary>
/// <param name="caCertificateFile">The trusted roots (PEM); <see langword="null"/>: the system's.</param>
/// <param name="certificateFile">The client's own chain (PEM), with <paramref name="privateKeyFile"/>; <see langword="null"/>: none.</param>
/// <param name="privateKeyFile">The key of the client's certificate (PEM).</param>
internal sealed class GrpcTlsCredentials(string? caCertificateFile = null, string? certificateFile = null, string? privateKeyFile = null)
{
    private readonly Lock _gate = new();
    private X509Certificate2Collection? _roots;
    private X509Certificate2? _certificate;
    private long? _readAt;

    public string? CaCertificateFile { get; } = caCertificateFile;

    public string? CertificateFile { get; } = certificateFile;

    public string? PrivateKeyFile { get; } = privateKeyFile;

    /// <summary>How long what was read stays in use.</summary>
    /// <value>The default value is 10 minutes (gRFC A29).</value>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The certificate that the client has by then, asked for with each connection, where no file is named; it may be that it has none yet.</summary>
    public Func<X509Certificate2?>? Certificate { get; init; }

    /// <summary>Roots that the client has learned of since, besides those of its file: without them it would not know a server whose root has been replaced.</summary>
    public Func<X509Certificate2Collection?>? LearnedRoots { get; init; }

    /// <summary>The same, with a certificate and roots that are found when a connection is made.</summary>
    public GrpcTlsCredentials With(Func<X509Certificate2?>? certificate, Func<X509Certificate2Collection?>? learnedRoots)
        => new(CaCertificateFile, CertificateFile, PrivateKeyFile) { RefreshInterval = RefreshInterval, Certificate = certificate, LearnedRoots = learnedRoots };

    internal SslClientAuthenticationOptions ToSslOptions(TimeProvider timeProvider) => new()
    {
        LocalCertificateSelectionCallback = CertificateFile is null && Certificate is null ? null : (_, _, _, _, _) =>
        {
            if (CertificateFile is null)
            {
                return Certificate!.Invoke()!;
            }

            Refresh(timeProvider);
            return _certificate!;
        },
        RemoteCertificateValidationCallback = CaCertificateFile is null ? null : (_, certificate, chain, errors) =>
        {
            Refresh(timeProvider);
            return IsTrusted(certificate, chain, errors, timeProvider);
        },
    };

    private bool IsTrusted(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors, TimeProvider timeProvider)
    {
        // The name must match whatever the roots say; only the chain is judged anew, against the configured roots alone.
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None || _roots is not { Count: > 0 } roots)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = timeProvider.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        if (LearnedRoots?.Invoke() is { } learned)
        {
            chain.ChainPolicy.CustomTrustStore.AddRange(learned);
        }

        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()));
    }

    private void Refresh(TimeProvider timeProvider)
    {
        lock (_gate)
        {
            var now = timeProvider.GetTimestamp();
            if (_readAt is { } readAt && timeProvider.GetElapsedTime(readAt, now) < RefreshInterval)
            {
                return;
            }

            try
            {
                if (CaCertificateFile is not null)
                {
                    var roots = new X509Certificate2Collection();
                    roots.ImportFromPemFile(CaCertificateFile);
                    _roots = roots;
                }

                if (CertificateFile is not null)
                {
                    _certificate = X509Certificate2.CreateFromPemFile(CertificateFile, PrivateKeyFile);
                }
            }
            catch (Exception) when (_readAt is not null)
            {
                // Half-written during rotation: the next connection tries again.
                return;
            }

            _readAt = now;
        }
    }
}
