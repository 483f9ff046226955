using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// TLS that the caller speaks itself, by an <c>https</c> URI: to the host that it names, by its own client's settings, whatever the cluster says of
/// TLS. Connections are the settings' own: one that was made without a check is not there for whoever asks for it.
/// </summary>
/// <param name="settings">What the client's primary handler says (<see cref="SocketsHttpHandler.SslOptions"/>); <see langword="null"/> for nothing.</param>
internal sealed class CallerTls(SslClientAuthenticationOptions? settings = null)
{
    private static readonly HttpRequestOptionsKey<CallerTls> Key = new("mesh.caller_tls");

    /// <summary>That of a client without settings: the system's authorities, the host's own name.</summary>
    public static CallerTls Default { get; } = new();

    /// <summary>A check in the words of <see cref="HttpClientHandler.ServerCertificateCustomValidationCallback"/>.</summary>
    public Func<HttpRequestMessage, X509Certificate2?, X509Chain?, SslPolicyErrors, bool>? Validate { get; init; }

    public static CallerTls Of(HttpRequestMessage request) => request.Options.TryGetValue(Key, out var tls) ? tls : Default;

    public void AddTo(HttpRequestMessage request) => request.Options.Set(Key, this);

    public static void RemoveFrom(HttpRequestMessage request) => ((IDictionary<string, object?>)request.Options).Remove(Key.Key);

    /// <summary>A copy of a request is sent as the request is.</summary>
    public static void Copy(HttpRequestMessage request, HttpRequestMessage copy)
    {
        if (request.Options.TryGetValue(Key, out var tls))
        {
            copy.Options.Set(Key, tls);
        }
    }

    /// <exception cref="TlsFailureException">There is no handshake, or the peer is not the host.</exception>
    public async ValueTask AuthenticateAsync(
        SslStream stream, string host, IReadOnlyList<SslApplicationProtocol> protocols, HttpRequestMessage request, TimeProvider time, CancellationToken cancellationToken)
    {
        TlsFailureException? failure = null;
        var options = Options(time);
        options.TargetHost ??= host;
        options.ApplicationProtocols = protocols.Count == 0 ? null : [.. protocols];
        var own = options.RemoteCertificateValidationCallback;
        options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            var isAccepted = Validate is not null ? Validate(request, certificate as X509Certificate2, chain, errors)
                : own is not null ? own(sender, certificate, chain, errors)
                : errors == SslPolicyErrors.None;
            failure = isAccepted ? null : Refusal(options.TargetHost, certificate, chain, errors);
            return isAccepted;
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

    private SslClientAuthenticationOptions Options(TimeProvider time)
    {
        var policy = settings?.CertificateChainPolicy?.Clone()
            ?? new X509ChainPolicy { RevocationMode = settings?.CertificateRevocationCheckMode ?? X509RevocationMode.NoCheck };
        if (policy.VerificationTimeIgnored)
        {
            policy.VerificationTimeIgnored = false;
            policy.VerificationTime = time.GetUtcNow().UtcDateTime;
        }

        var options = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (settings is null)
        {
            return options;
        }

        options.TargetHost = settings.TargetHost;
        options.AllowRenegotiation = settings.AllowRenegotiation;
        options.AllowTlsResume = settings.AllowTlsResume;
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            options.AllowRsaPkcs1Padding = settings.AllowRsaPkcs1Padding;
            options.AllowRsaPssPadding = settings.AllowRsaPssPadding;
        }

        options.CipherSuitesPolicy = settings.CipherSuitesPolicy;
        options.ClientCertificateContext = settings.ClientCertificateContext;
        options.ClientCertificates = settings.ClientCertificates;
        options.EnabledSslProtocols = settings.EnabledSslProtocols;
        options.EncryptionPolicy = settings.EncryptionPolicy;
        options.LocalCertificateSelectionCallback = settings.LocalCertificateSelectionCallback;
        options.RemoteCertificateValidationCallback = settings.RemoteCertificateValidationCallback;
        return options;
    }

    private static TlsFailureException Refusal(string? host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return new TlsFailureException(TlsErrors.Unverified("peer did not return a certificate"), $"{host} has shown no certificate.");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var reason = ChainErrors.Of(chain) ?? "unspecified certificate verification error";
            return new TlsFailureException(TlsErrors.Unverified(reason), $"The certificate that {host} has shown, issued by '{certificate?.Issuer}', is not accepted: {reason}.");
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? new TlsFailureException(TlsErrors.WrongName, $"The certificate is not for {host}.")
            : new TlsFailureException(TlsErrors.Unverified("application verification failure"), $"The client's own check does not accept the certificate of {host}.");
    }
}
