using System.Runtime.CompilerServices;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>A decoded Secret: a certificate with its key, or what is asked of a peer's. Never says what it holds.</summary>
/// <param name="Name">The resource's name.</param>
/// <param name="Certificate">The certificate, if it is one.</param>
/// <param name="Validation">What is asked of a peer's certificate, if it says that.</param>
internal sealed record SecretResource(string Name, ClientCertificate? Certificate, CertificateValidationContext? Validation) : Resource
{
    private readonly ConditionalWeakTable<UpstreamTls, CertificateValidation> _merged = [];

    /// <summary>What a cluster asks by itself, and this secret above it (Envoy's <c>combined_validation_context</c>).</summary>
    /// <exception cref="TlsFailureException">It is no such secret, or the two do not go together.</exception>
    public CertificateValidation ValidationFor(UpstreamTls tls)
        => _merged.GetValue(tls, key =>
        {
            var merged = key.ValidationDefaults?.Clone() ?? new CertificateValidationContext();
            merged.MergeFrom(Validation ?? throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{Name}' is no validation context."));
            try
            {
                return CertificateValidationCompiler.Compile(merged, Name);
            }
            catch (ResourceRejectedException e)
            {
                throw new TlsFailureException(TlsErrors.NotReady, $"The secret '{Name}' cannot be used: {e.Message}", e);
            }
        });

    public override string ToString() => Name;
}
