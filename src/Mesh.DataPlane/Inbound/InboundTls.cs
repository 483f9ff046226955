using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// The server's side of TLS for the chains of one port that say the same of it. There is one certificate context for each certificate and what is
/// asked of peers: sessions are resumed as long as neither changes, and never by trust that has ended.
/// </summary>
/// <param name="settings">What the chain says.</param>
/// <param name="secrets">Where the secrets are that it names.</param>
/// <param name="time">The clock that certificates are held to.</param>
internal sealed class InboundTls(DownstreamTls settings, InboundSecrets secrets, TimeProvider time)
{
    private readonly ConditionalWeakTable<SecretResource, CertificateValidation> _merged = [];
    private readonly Oid _clientAuthentication = new("1.3.6.1.5.5.7.3.2");
    private volatile Material? _material;

    public DownstreamTls Settings { get; } = settings;

    public IEnumerable<SecretReference> SecretNames => new[] { Settings.CertificateSecret, Settings.ValidationSecret }.OfType<SecretReference>();

    /// <summary>The name that this process has by the certificate that it shows.</summary>
    public string? LocalUriName => _material?.UriName;

    /// <summary>What the certificate says that this process shows, and its subject.</summary>
    public (CertificateFacts? Facts, string Subject) Local => _material is { } material ? (material.Facts, material.Facts.SubjectOf(material.Context.TargetCertificate)) : (null, "");

    /// <summary>Those who sign for peers; <see langword="null"/> where nobody has named any.</summary>
    public X509Certificate2Collection? Authorities => _material?.Roots;

    /// <summary>When the certificate expires that is shown now; <see langword="null"/> while there is none that could be.</summary>
    public DateTimeOffset? Expires()
    {
        try
        {
            return CurrentMaterial().Context.TargetCertificate.NotAfter.ToUniversalTime();
        }
        catch (TlsFailureException)
        {
            return null;
        }
    }

    /// <summary>When the first of two certificates ends that a connection has just been made with; <see langword="null"/> when it rests on none.</summary>
    /// <param name="own">The one that was shown.</param>
    /// <param name="peer">The peer's.</param>
    public DateTimeOffset? EndOf(X509Certificate2? own, X509Certificate2? peer)
    {
        // Whoever takes a certificate that has ended, or asks for no validity, does so for good.
        var now = time.GetUtcNow();
        var first = DateTimeOffset.MaxValue;
        if (own is not null && CertificateFacts.Of(own).NotAfter is var ours && ours > now)
        {
            first = ours;
        }

        if (peer is not null && _material?.Validation is { HoldsToValidity: true } && CertificateFacts.Of(peer).NotAfter is var theirs && theirs > now && theirs < first)
        {
            first = theirs;
        }

        return first < DateTimeOffset.MaxValue ? first : null;
    }

    /// <summary>What a handshake is done by.</summary>
    /// <param name="protocol">The protocol that was agreed upon; <see langword="null"/> for none.</param>
    /// <param name="judge">Judges the peer's certificate.</param>
    /// <exception cref="TlsFailureException">A secret has not come, or cannot be used.</exception>
    public SslServerAuthenticationOptions Options(string? protocol, PeerJudgement judge)
    {
        var material = CurrentMaterial();
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Context,
            EnabledSslProtocols = Settings.Protocols,
            AllowTlsResume = Settings.AllowsResumption,
            AllowRenegotiation = false,
            ApplicationProtocols = protocol is null ? null : [new SslApplicationProtocol(protocol)],
            ClientCertificateRequired = Settings.AsksForClientCertificate,
        };
        if (material.Validation is { } validation)
        {
            options.CertificateChainPolicy = validation.CreateChainPolicy(time);
            material.Intermediates.AddTo(options.CertificateChainPolicy);
            options.RemoteCertificateValidationCallback = judge.Callback(this, validation, material.Intermediates);
        }

        if (Settings.CipherSuites is { } suites && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()))
        {
            options.CipherSuitesPolicy = material.Suites ??= new CipherSuitesPolicy(suites);
        }

        return options;
    }

    /// <summary>Judges a certificate whose chain has been built.</summary>
    /// <returns>Why it is refused; <see langword="null"/> when it is not.</returns>
    public (string Reason, string Explanation)? Judge(CertificateValidation validation, X509Certificate2? certificate, X509Chain? chain)
    {
        if (certificate is null)
        {
            return Settings.RequiresClientCertificate ? ("peer did not return a certificate", "The client has shown no certificate.") : null;
        }

        if (validation.Verify(certificate, chain, host: null, onlyHost: false) is { } refusal)
        {
            return refusal;
        }

        // The authorities of the mesh sign for workloads, whose certificates have one identity each (SPIFFE X.509-SVID, section 2).
        return Settings.ValidationSecret is { IsOwn: true } ? SpiffeCertificate.Check(certificate, SubjectAltNames.Of(certificate), isRequired: true, out _) : null;
    }

    /// <summary>Judges a certificate by what is asked now.</summary>
    /// <param name="certificate">The certificate that was accepted once.</param>
    /// <param name="others">What the peer has shown beside it.</param>
    /// <returns>Why it is refused; <see langword="null"/> when it is not.</returns>
    public (string Reason, string Explanation)? JudgeAgain(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> others)
    {
        Material material;
        try
        {
            material = CurrentMaterial();
        }
        catch (TlsFailureException e)
        {
            return (e.Reason, e.Message);
        }

        if (material.Validation is not { } validation)
        {
            return null;
        }

        using var chain = new X509Chain { ChainPolicy = validation.CreateChainPolicy(time) };
        chain.ChainPolicy.ApplicationPolicy.Add(_clientAuthentication);
        foreach (var other in others)
        {
            chain.ChainPolicy.ExtraStore.Add(other);
        }

        material.Intermediates.AddTo(chain.ChainPolicy);

        chain.Build(certificate);
        return Judge(validation, certificate, chain);
    }

    private Material CurrentMaterial()
    {
        var certificate = Settings.Certificate?.Get() ?? CertificateOf(Settings.CertificateSecret!.Value);
        var validation = Settings.Validation ?? (Settings.ValidationSecret is { } name ? ValidationOf(secrets.Get(name)) : null);
        var roots = validation?.Roots?.Get();
        if (_material is { } current && current.Source == certificate && current.Validation == validation && current.Roots == roots)
        {
            return current;
        }

        // A new context forgets the sessions of the one before, whose peers were judged by something else.
        var context = SslStreamCertificateContext.Create(certificate.TargetCertificate, [.. certificate.IntermediateCertificates], offline: true);
        return _material = new Material(certificate, validation, roots, context);
    }

    private SslStreamCertificateContext CertificateOf(SecretReference name)
        => secrets.Get(name).Certificate?.Get() ?? throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{name}' is no certificate.");

    private CertificateValidation ValidationOf(SecretResource secret)
        => _merged.GetValue(secret, key =>
        {
            var merged = Settings.ValidationDefaults?.Clone() ?? new CertificateValidationContext();
            merged.MergeFrom(key.Validation ?? throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{key.Name}' is no validation context."));
            try
            {
                return CertificateValidationCompiler.Compile(merged, key.Name);
            }
            catch (ResourceRejectedException e)
            {
                throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{key.Name}' cannot be used: {e.Message}", e);
            }
        });

    private sealed record Material(SslStreamCertificateContext Source, CertificateValidation? Validation, X509Certificate2Collection? Roots, SslStreamCertificateContext Context)
    {
        public CertificateFacts Facts { get; } = CertificateFacts.Of(Context.TargetCertificate);

        public string? UriName { get; } = SubjectAltNames.Of(Context.TargetCertificate).Names.Where(n => n.Type == SubjectAltNameType.Uri).Select(n => n.Value).FirstOrDefault();

        /// <summary>Of those whose sessions may be resumed by the context.</summary>
        public SeenIntermediates Intermediates { get; } = new();

        public CipherSuitesPolicy? Suites { get; set; }
    }
}
