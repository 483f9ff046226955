using System.Net.Security;
using System.Security.Authentication;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Inbound;

/// <summary>How TLS is spoken to whoever connects (Envoy's <c>DownstreamTlsContext</c>). Equal to another that was compiled from the same.</summary>
/// <param name="compiledFrom">The message.</param>
internal sealed class DownstreamTls(ByteString compiledFrom) : IEquatable<DownstreamTls>
{
    private readonly ByteString _compiledFrom = compiledFrom;

    /// <summary>The certificate to show, where the listener has it itself.</summary>
    public ClientCertificate? Certificate { get; init; }

    /// <summary>The secret with the certificate to show.</summary>
    public SecretReference? CertificateSecret { get; init; }

    /// <summary>What is asked of the peer's certificate, where the listener says it all.</summary>
    public CertificateValidation? Validation { get; init; }

    /// <summary>The secret that says it, or the rest of it.</summary>
    public SecretReference? ValidationSecret { get; init; }

    /// <summary>What is asked beside it.</summary>
    public CertificateValidationContext? ValidationDefaults { get; init; }

    /// <summary>A peer without a certificate is refused.</summary>
    public bool RequiresClientCertificate { get; init; }

    /// <summary>Whether a peer is asked for its certificate.</summary>
    public bool AsksForClientCertificate => Validation is not null || ValidationSecret is not null;

    /// <summary>The protocols that are spoken (ALPN), the preferred ones first.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    public SslProtocols Protocols { get; init; }

    public IReadOnlyList<TlsCipherSuite>? CipherSuites { get; init; }

    public bool AllowsResumption { get; init; } = true;

    /// <summary>How long a handshake may take; infinite for as long as it takes.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>The protocol that is agreed upon with a peer that offers some; <see langword="null"/> for none, which ends no handshake.</summary>
    public string? Agree(IReadOnlyList<string> offered)
    {
        foreach (var protocol in ApplicationProtocols)
        {
            if (offered.Contains(protocol))
            {
                return protocol;
            }
        }

        return null;
    }

    public bool Equals(DownstreamTls? other) => other is not null && _compiledFrom == other._compiledFrom;

    public override bool Equals(object? obj) => Equals(obj as DownstreamTls);

    public override int GetHashCode() => _compiledFrom.GetHashCode();
}
