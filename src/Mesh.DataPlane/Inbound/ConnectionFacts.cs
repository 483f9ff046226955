using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Tls;
using Mesh.Identity;

namespace Mesh.DataPlane.Inbound;

/// <summary>What is known of the connection that a request came in by, and of who made it.</summary>
internal sealed class ConnectionFacts
{
    private readonly X509Certificate2? _peerCertificate;
    private string? _sha256;

    /// <summary>Who connected, whatever any header says.</summary>
    public IPEndPoint? RemoteEndPoint { get; init; }

    /// <summary>Where the connection came in.</summary>
    public IPEndPoint? LocalEndPoint { get; init; }

    public bool IsTls { get; init; }

    /// <summary>The name that TLS asked for (SNI), in lower case; empty for none.</summary>
    public string RequestedServerName { get; init; } = "";

    /// <summary>The protocol that TLS agreed upon (ALPN); empty for none.</summary>
    public string ApplicationProtocol { get; init; } = "";

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

            var names = SubjectAltNames.Of(value).Names;
            UriNames = [.. names.Where(n => n.Type == SubjectAltNameType.Uri).Select(n => n.Value)];
            DnsNames = [.. names.Where(n => n.Type == SubjectAltNameType.Dns).Select(n => n.Value)];
            Subject = DistinguishedNames.Text(value.SubjectName);

            // The standard knows certificates with one identity; one with two names has none that could be relied on.
            PeerIdentity = UriNames is [var only] && SpiffeId.TryParse(only, out var id) ? id : null;
        }
    }

    /// <summary>What the peer has sent beside its certificate to lead to somebody who is trusted.</summary>
    public IReadOnlyList<X509Certificate2> PeerIntermediates { get; init; } = [];

    /// <summary>The first URI of the certificate that this process has shown; <see langword="null"/> where it has shown none.</summary>
    public string? LocalUriName { get; init; }

    /// <summary>Whether the peer has proven who it is.</summary>
    public bool IsMutualTls => IsTls && _peerCertificate is not null;

    /// <summary>The URIs of the peer's certificate, in its order.</summary>
    public IReadOnlyList<string> UriNames { get; private init; } = [];

    /// <summary>The DNS names of the peer's certificate, in its order.</summary>
    public IReadOnlyList<string> DnsNames { get; private init; } = [];

    /// <summary>The subject of the peer's certificate (RFC 2253); empty for none.</summary>
    public string Subject { get; private init; } = "";

    public SpiffeId? PeerIdentity { get; private init; }

    /// <summary>SHA-256 of the peer's certificate in lower-case hexadecimal digits; empty for none.</summary>
    public string PeerSha256 => _sha256 ??= _peerCertificate is null ? "" : Convert.ToHexStringLower(SHA256.HashData(_peerCertificate.RawDataMemory.Span));
}
