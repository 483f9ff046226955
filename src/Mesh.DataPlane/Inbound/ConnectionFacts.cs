using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Mesh.Identity;

namespace Mesh.DataPlane.Inbound;

/// <summary>What is known of the connection that a request came in by, and of who made it.</summary>
internal sealed class ConnectionFacts
{
    private static long _last;

    private readonly X509Certificate2? _peerCertificate;
    private readonly CertificateFacts? _peer;
    private Principals? _principals;

    /// <summary>Tells it from all others of this process.</summary>
    public long Id { get; } = Interlocked.Increment(ref _last);

    /// <summary>Who connected, whatever any header says.</summary>
    public IPEndPoint? RemoteEndPoint { get; init; }

    /// <summary>Where the connection came in.</summary>
    public IPEndPoint? LocalEndPoint { get; init; }

    /// <summary>The filter chain that has let it in; empty where there is none, or it has no name.</summary>
    public string FilterChainName { get; init; } = "";

    /// <summary>When it could be used, TLS included, as a timestamp; 0 where nobody has noted it.</summary>
    public long Established { get; init; }

    public bool IsTls { get; init; }

    /// <summary>The name that TLS asked for (SNI), in lower case; empty for none.</summary>
    public string RequestedServerName { get; init; } = "";

    /// <summary>The protocol that TLS agreed upon (ALPN); empty for none.</summary>
    public string ApplicationProtocol { get; init; } = "";

    /// <summary>The version of TLS that was agreed upon.</summary>
    public SslProtocols TlsProtocol { get; init; }

    /// <summary>The cipher suite that was agreed upon; <see langword="null"/> without TLS.</summary>
    public TlsCipherSuite? TlsCipherSuite { get; init; }

    /// <summary>What the peer has shown and what was accepted; <see langword="null"/> when it has shown none, or none was asked for.</summary>
    public X509Certificate2? PeerCertificate
    {
        get => _peerCertificate;
        init
        {
            _peerCertificate = value;
            if (value is null)
            {
                return;
            }

            _peer = CertificateFacts.Of(value);
            Subject = _peer.SubjectOf(value);
        }
    }

    /// <summary>What the peer has sent beside its certificate to lead to somebody who is trusted.</summary>
    public IReadOnlyList<X509Certificate2> PeerIntermediates { get; init; } = [];

    /// <summary>Those who sign for peers; <see langword="null"/> where nobody has named any.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>What the certificate says that this process has shown; <see langword="null"/> where it has shown none.</summary>
    public CertificateFacts? LocalCertificate { get; init; }

    /// <summary>The subject of that certificate (RFC 2253); empty for none.</summary>
    public string LocalSubject { get; init; } = "";

    /// <summary>When the first of the certificates ends that it was made with; <see langword="null"/> when it rests on none.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The first URI of the certificate that this process has shown; <see langword="null"/> where it has shown none.</summary>
    public string? LocalUriName { get; init; }

    /// <summary>Who both ends are by their certificates, for what is told of the connection.</summary>
    public Principals Principals => _principals ??= UriNames.Count == 0 && LocalUriName is null ? Principals.None : new Principals(LocalUriName ?? "", UriNames.Count > 0 ? UriNames[0] : "");

    /// <summary>What a peer that has proven who it is has said of itself at the beginning of the connection; set before anybody sees the connection.</summary>
    public Peer? Introduced { get; set; }

    /// <summary>Whether the peer has proven who it is.</summary>
    public bool IsMutualTls => IsTls && _peerCertificate is not null;

    /// <summary>The URIs of the peer's certificate, in its order.</summary>
    public IReadOnlyList<string> UriNames => _peer?.UriNames ?? [];

    /// <summary>The DNS names of the peer's certificate, in its order.</summary>
    public IReadOnlyList<string> DnsNames => _peer?.DnsNames ?? [];

    /// <summary>The subject of the peer's certificate (RFC 2253); empty for none.</summary>
    public string Subject { get; private init; } = "";

    /// <summary>What the peer's certificate says of its holder; <see langword="null"/> for none.</summary>
    public CertificateFacts? PeerFacts => _peer;

    public SpiffeId? PeerIdentity => _peer?.Identity;

    /// <summary>SHA-256 of the peer's certificate in lower-case hexadecimal digits; empty for none.</summary>
    public string PeerSha256 => _peer?.Sha256 ?? "";

    /// <summary>Who has signed the peer's certificate; <see langword="null"/> where that is not among those who are known.</summary>
    public X509Certificate2? PeerIssuer
        => _peerCertificate is { } certificate
            ? PeerIntermediates.FirstOrDefault(other => HasSigned(other, certificate)) ?? Authorities?.FirstOrDefault(other => HasSigned(other, certificate))
            : null;

    // Two authorities may have one name while one of them makes room for the other; the ids of their keys tell them apart.
    private static bool HasSigned(X509Certificate2 issuer, X509Certificate2 certificate)
        => issuer.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            && (certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is not { } key
                || issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes is not { } own
                || key.Span.SequenceEqual(own.Span));
}
