using System.Net.Security;
using System.Security.Authentication;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Tls;

/// <summary>How TLS is spoken to the endpoints of a cluster (Envoy's <c>UpstreamTlsContext</c>). Equal to another that was compiled from the same.</summary>
/// <param name="CompiledFrom">The message, and what beside it counts.</param>
internal sealed record UpstreamTls(ByteString CompiledFrom)
{
    private readonly Owner _owner = new();

    /// <summary>What is asked of the peer's certificate, where the cluster says it all.</summary>
    public CertificateValidation? Validation { get; init; }

    /// <summary>The secret that says it, or the rest of it.</summary>
    public SecretReference? ValidationSecret { get; init; }

    /// <summary>What is asked beside it.</summary>
    public CertificateValidationContext? ValidationDefaults { get; init; }

    /// <summary>The certificate to show; <see langword="null"/> for none, or that of a secret.</summary>
    public ClientCertificate? Certificate { get; init; }

    /// <summary>The secret with the certificate to show.</summary>
    public SecretReference? CertificateSecret { get; init; }

    /// <summary>Where the secrets are that are named; set by the cluster before anybody connects.</summary>
    public ClusterSecrets? Secrets
    {
        get => _owner.Secrets;
        set => _owner.Secrets = value;
    }

    /// <summary>The name to ask for; empty for none.</summary>
    public string ServerName { get; init; } = "";

    public ServerNameSource ServerNameSource { get; init; }

    /// <summary>The header whose value is the name to ask for (<c>override_auto_sni_header</c>).</summary>
    public HeaderName? ServerNameHeader { get; init; }

    /// <summary>The certificate must be for the host of the request (<c>auto_san_validation</c>).</summary>
    public bool VerifiesRequestHost { get; init; }

    /// <summary>The certificate must be for the name asked for, and nothing else is asked of its names (<c>auto_sni_san_validation</c>).</summary>
    public bool VerifiesServerName { get; init; }

    /// <summary>The protocols to offer (ALPN), where they are said.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>The versions of TLS; <see cref="SslProtocols.None"/> leaves it to the system.</summary>
    public SslProtocols Protocols { get; init; }

    public IReadOnlyList<TlsCipherSuite>? CipherSuites { get; init; }

    public bool AllowsRenegotiation { get; init; }

    public bool AllowsResumption { get; init; } = true;

    /// <summary>An RSA certificate must say that its key is for signatures, if it says what for.</summary>
    public bool EnforcesKeyUsage { get; init; }

    /// <summary>
    /// Both ends are workloads: this one shows the certificate of its own identity. What is spoken inside stays what it is in clear text (its
    /// <c>:scheme</c> too), as between sidecars.
    /// </summary>
    public bool IsMesh => CertificateSecret is { IsOwn: true };

    /// <summary>The peer is held to the authorities of the mesh, whose certificates are those of workloads and have one identity each.</summary>
    public bool AsksForWorkload => ValidationSecret is { IsOwn: true };

    /// <summary>Whether connections differ by the host of the request.</summary>
    public bool DependsOnRequest => ServerNameSource == ServerNameSource.Request || VerifiesRequestHost;

    /// <exception cref="TlsFailureException">A secret has not come, or cannot be used.</exception>
    public CertificateValidation CurrentValidation() => Validation ?? SecretOf(ValidationSecret!.Value).ValidationFor(this);

    /// <returns><see langword="null"/> when none is to be shown.</returns>
    /// <exception cref="TlsFailureException">The secret has not come, or cannot be used.</exception>
    public SslStreamCertificateContext? CurrentCertificate()
    {
        if (CertificateSecret is not { } reference)
        {
            return Certificate?.Get();
        }

        var secret = SecretOf(reference);
        return secret.Certificate?.Get() ?? throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{secret}' is no certificate.");
    }

    private SecretResource SecretOf(SecretReference name)
        => Secrets?.Get(name) ?? throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{name}' is not watched.");

    /// <summary>The same with other protocols, by the same secrets.</summary>
    public UpstreamTls Offering(IReadOnlyList<string> protocols)
        => this with { ApplicationProtocols = protocols, CompiledFrom = ByteString.CopyFrom([.. CompiledFrom.Span, .. System.Text.Encoding.UTF8.GetBytes(string.Join('\n', protocols))]) };

    public bool Equals(UpstreamTls? other) => other is not null && CompiledFrom == other.CompiledFrom;

    public override int GetHashCode() => CompiledFrom.GetHashCode();

    public override string ToString() => $"TLS to '{ServerName}'";

    // Shared by what differs in protocols alone.
    private sealed class Owner
    {
        public ClusterSecrets? Secrets;
    }
}
