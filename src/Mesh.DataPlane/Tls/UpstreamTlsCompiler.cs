using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>Compiles a transport socket of a cluster. Whatever it does not honour it refuses: no cluster that asks for TLS is spoken to in less.</summary>
internal static class UpstreamTlsCompiler
{
    public static bool IsAsked(TransportSocket? socket) => socket is not null && socket.TypedConfig?.Is(RawBuffer.Descriptor) != true;

    /// <param name="socket">What the cluster says.</param>
    /// <param name="path">Where it says so.</param>
    /// <param name="http">What its HTTP options say of TLS.</param>
    /// <param name="httpPath">Where they do.</param>
    /// <param name="notes">What is carried and not done, in words.</param>
    /// <returns><see langword="null"/> for clear text.</returns>
    /// <exception cref="ResourceRejectedException">It is another kind of socket, or asks for what cannot be done.</exception>
    public static UpstreamTls? Compile(TransportSocket? socket, string path, UpstreamHttpProtocolOptions? http, string httpPath, ICollection<string> notes)
    {
        if (!IsAsked(socket))
        {
            return null;
        }

        if (socket!.TypedConfig?.Is(UpstreamTlsContext.Descriptor) != true)
        {
            throw new ResourceRejectedException(path, $"'{socket.Name}' is not supported; the cluster is refused rather than spoken to in clear text");
        }

        path += ".typed_config";
        var message = WireMessage.Parse(UpstreamTlsContext.Parser, socket.TypedConfig.Value, path);
        var common = message.CommonTlsContext ?? throw new ResourceRejectedException(path + ".common_tls_context", "must be set");
        CertificateProviderInstances.Resolve(common, path + ".common_tls_context");
        WireMessage.Validate(message, socket.TypedConfig.Value, UpstreamTlsContext.Parser, path);
        RefuseExtensions(common, path + ".common_tls_context");
        var (certificate, certificateSecret) = Certificate(common, path + ".common_tls_context");
        var (validation, validationSecret, defaults) = Validation(common, path + ".common_tls_context");
        if (message is { Sni: "", AutoHostSni: false, AutoSniSanValidation: true } && http?.AutoSni != true)
        {
            throw new ResourceRejectedException(path + ".auto_sni_san_validation", "there is no name to validate: set sni, auto_host_sni or auto_sni");
        }

        if (http is { AutoSni: true } && message.Sni.Length > 0)
        {
            throw new ResourceRejectedException(httpPath + ".auto_sni", "cannot be set beside the transport socket's sni");
        }

        var tls = common.TlsParams;
#pragma warning disable CS0612 // Of no effect in the newest Envoy, and asked of older ones.
        var enforcesKeyUsage = message.EnforceRsaKeyUsage == true;
#pragma warning restore CS0612
        return new UpstreamTls(ByteString.CopyFrom([.. socket.TypedConfig.Value.Span, .. (http?.ToByteArray() ?? [])]))
        {
            Validation = validation,
            ValidationSecret = validationSecret,
            ValidationDefaults = defaults,
            Certificate = certificate,
            CertificateSecret = certificateSecret,
            ServerName = message.Sni,
            ServerNameSource = message.AutoHostSni ? ServerNameSource.Endpoint : http?.AutoSni == true ? ServerNameSource.Request : ServerNameSource.Given,
            ServerNameHeader = http is { AutoSni: true, OverrideAutoSniHeader: { Length: > 0 } header } ? new HeaderName(header) : null,
            VerifiesRequestHost = http?.AutoSanValidation == true,
            VerifiesServerName = message.AutoSniSanValidation,
            ApplicationProtocols = MeshAlpn.Spoken(common.AlpnProtocols, path + ".common_tls_context.alpn_protocols", notes),
            Protocols = TlsVersions.Compile(tls, path + ".common_tls_context.tls_params"),
            CipherSuites = CipherSuites.Compile(tls?.CipherSuites ?? [], path + ".common_tls_context.tls_params.cipher_suites"),
            AllowsRenegotiation = message.AllowRenegotiation,
            AllowsResumption = message.MaxSessionKeys is not 0,
            EnforcesKeyUsage = enforcesKeyUsage,
        };
    }

    private static (ClientCertificate? Certificate, SecretReference? Secret) Certificate(CommonTlsContext common, string path)
    {
        if (common.TlsCertificates.Count + common.TlsCertificateSdsSecretConfigs.Count > 1)
        {
            throw new ResourceRejectedException(path + (common.TlsCertificateSdsSecretConfigs.Count > 0 ? ".tls_certificate_sds_secret_configs" : ".tls_certificates"), "a client has one certificate");
        }

        return common.TlsCertificates.Count > 0 ? (ClientCertificate.Compile(common.TlsCertificates[0], path + ".tls_certificates[0]"), null)
            : common.TlsCertificateSdsSecretConfigs.Count > 0 ? (null, SecretReference.Compile(common.TlsCertificateSdsSecretConfigs[0], path + ".tls_certificate_sds_secret_configs[0]"))
            : (null, null);
    }

    private static (CertificateValidation? Validation, SecretReference? Secret, CertificateValidationContext? Defaults) Validation(CommonTlsContext common, string path)
    {
        switch (common.ValidationContextTypeCase)
        {
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContext:
                return (CertificateValidationCompiler.Compile(common.ValidationContext, path + ".validation_context"), null, null);
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContextSdsSecretConfig:
                return (null, SecretReference.Compile(common.ValidationContextSdsSecretConfig, path + ".validation_context_sds_secret_config"), null);
            case CommonTlsContext.ValidationContextTypeOneofCase.CombinedValidationContext:
                var combined = common.CombinedValidationContext;
                path += ".combined_validation_context";
#pragma warning disable CS0612
                Refuse(combined.ValidationContextCertificateProvider is not null, path + ".validation_context_certificate_provider");
#pragma warning restore CS0612

                CertificateValidationCompiler.CheckDefaults(combined.DefaultValidationContext, path + ".default_validation_context");
                return (null, SecretReference.Compile(combined.ValidationContextSdsSecretConfig, path + ".validation_context_sds_secret_config"), combined.DefaultValidationContext);
            case CommonTlsContext.ValidationContextTypeOneofCase.None:
                throw new ResourceRejectedException(
                    path + ".validation_context",
                    "must be set: without it whoever answers would be believed; if that is what is wanted, its trust_chain_verification must say ACCEPT_UNTRUSTED");
            default:
                throw new ResourceRejectedException($"{path}.{FieldName(common)}", "is not supported; the cluster is refused rather than spoken to unverified");
        }
    }

    private static string FieldName(CommonTlsContext common)
        => CommonTlsContext.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(common)!.Name;

    private static void RefuseExtensions(CommonTlsContext common, string path)
    {
        Refuse(common.CustomTlsCertificateSelector is not null, path + ".custom_tls_certificate_selector");
        Refuse(common.CustomHandshaker is not null, path + ".custom_handshaker");
        Refuse(common.KeyLog is not null, path + ".key_log");
#pragma warning disable CS0612
        Refuse(common.TlsCertificateCertificateProvider is not null, path + ".tls_certificate_certificate_provider");
#pragma warning restore CS0612
        Refuse(common.TlsParams?.EcdhCurves.Count > 0, path + ".tls_params.ecdh_curves");
        Refuse(common.TlsParams?.SignatureAlgorithms.Count > 0, path + ".tls_params.signature_algorithms");
        Refuse(common.TlsParams?.CompliancePolicies.Count > 0, path + ".tls_params.compliance_policies");
    }

    private static void Refuse(bool isSet, string path)
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, "is not supported; the cluster is refused rather than spoken to with less than was asked");
        }
    }
}
