using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Timeouts;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using ValidationCase = Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.ValidationContextTypeOneofCase;

namespace Mesh.DataPlane.Inbound;

/// <summary>Compiles the transport socket of an inbound filter chain. Whatever it does not honour it refuses: nobody gets in by less than was asked for.</summary>
internal static class DownstreamTlsCompiler
{
    /// <returns><see langword="null"/> for plain text.</returns>
    /// <exception cref="ResourceRejectedException">It is another kind of socket, or asks for what cannot be done.</exception>
    public static DownstreamTls? Compile(TransportSocket? socket, Duration? handshakeTimeout, string chainPath, ICollection<string> notes)
    {
        if (socket is null || socket.TypedConfig?.Is(RawBuffer.Descriptor) == true)
        {
            return null;
        }

        if (socket.TypedConfig?.Is(DownstreamTlsContext.Descriptor) != true)
        {
            throw new ResourceRejectedException(chainPath + ".transport_socket", $"'{socket.Name}' is not supported; of transport sockets raw_buffer and tls with a DownstreamTlsContext are");
        }

        var path = chainPath + ".transport_socket.typed_config";
        var message = WireMessage.Parse(DownstreamTlsContext.Parser, socket.TypedConfig.Value, path);
        var common = message.CommonTlsContext ?? throw new ResourceRejectedException(path + ".common_tls_context", "must be set");
        CertificateProviderInstances.Resolve(common, path + ".common_tls_context");
        foreach (var note in WireMessage.Validate(message, socket.TypedConfig.Value, DownstreamTlsContext.Parser, path))
        {
            notes.Add(note);
        }

        Refuse(message.RequireSni == true, path + ".require_sni");
        Refuse(message.SessionTicketKeys is not null, path + ".session_ticket_keys");
        Refuse(message.SessionTicketKeysSdsSecretConfig is not null, path + ".session_ticket_keys_sds_secret_config");
        Refuse(message.SessionTimeout is not null, path + ".session_timeout");
        Refuse(message.OcspStaplePolicy != DownstreamTlsContext.Types.OcspStaplePolicy.LenientStapling, path + ".ocsp_staple_policy");
        Refuse(message.PreferClientCiphers, path + ".prefer_client_ciphers");
        path += ".common_tls_context";
        RefuseExtensions(common, path);
        var (certificate, certificateSecret) = Certificate(common, path);
        var (validation, validationSecret, defaults) = Validation(common, path);
        if (message.RequireClientCertificate == true && validation is null && validationSecret is null)
        {
            throw new ResourceRejectedException(path + ".validation_context", "must be set where require_client_certificate is: without it any certificate would do");
        }

        return new DownstreamTls(socket.TypedConfig.Value)
        {
            Certificate = certificate,
            CertificateSecret = certificateSecret,
            Validation = validation,
            ValidationSecret = validationSecret,
            ValidationDefaults = defaults,
            RequiresClientCertificate = message.RequireClientCertificate == true,
            ApplicationProtocols = [.. common.AlpnProtocols],
            Protocols = TlsVersions.Compile(common.TlsParams, path + ".tls_params"),
            CipherSuites = Tls.CipherSuites.Compile(common.TlsParams?.CipherSuites ?? [], path + ".tls_params.cipher_suites"),
            AllowsResumption = !message.DisableStatelessSessionResumption && !message.DisableStatefulSessionResumption,
            HandshakeTimeout = HandshakeTimeout(handshakeTimeout, chainPath + ".transport_socket_connect_timeout"),
        };
    }

    // Zero is none, as in Envoy.
    private static TimeSpan HandshakeTimeout(Duration? message, string path)
        => TimeoutPolicyCompiler.Value(message, path) is { } timeout && timeout > TimeSpan.Zero && timeout <= TimerRange.Longest ? timeout : Timeout.InfiniteTimeSpan;

    private static (ClientCertificate? Certificate, SecretReference? Secret) Certificate(CommonTlsContext common, string path)
    {
        var count = common.TlsCertificates.Count + common.TlsCertificateSdsSecretConfigs.Count;
        if (count == 0)
        {
            throw new ResourceRejectedException(path + ".tls_certificates", "must be set, or tls_certificate_sds_secret_configs, or tls_certificate_provider_instance: a server has a certificate");
        }

        if (count > 1)
        {
            throw new ResourceRejectedException(path + ".tls_certificates", "more than one certificate is not supported");
        }

        return common.TlsCertificates.Count > 0 ? (ClientCertificate.Compile(common.TlsCertificates[0], path + ".tls_certificates[0]"), null)
            : (null, SecretReference.Compile(common.TlsCertificateSdsSecretConfigs[0], path + ".tls_certificate_sds_secret_configs[0]"));
    }

    private static (CertificateValidation? Validation, SecretReference? Secret, CertificateValidationContext? Defaults) Validation(CommonTlsContext common, string path)
    {
        switch (common.ValidationContextTypeCase)
        {
            case ValidationCase.None:
                return (null, null, null);
            case ValidationCase.ValidationContext:
                return (CertificateValidationCompiler.Compile(common.ValidationContext, path + ".validation_context"), null, null);
            case ValidationCase.ValidationContextSdsSecretConfig:
                return (null, SecretReference.Compile(common.ValidationContextSdsSecretConfig, path + ".validation_context_sds_secret_config"), null);
            case ValidationCase.CombinedValidationContext:
                var combined = common.CombinedValidationContext;
                path += ".combined_validation_context";
#pragma warning disable CS0612
                Refuse(combined.ValidationContextCertificateProvider is not null, path + ".validation_context_certificate_provider");
#pragma warning restore CS0612
                CertificateValidationCompiler.CheckDefaults(combined.DefaultValidationContext, path + ".default_validation_context");
                return (null, SecretReference.Compile(combined.ValidationContextSdsSecretConfig, path + ".validation_context_sds_secret_config"), combined.DefaultValidationContext);
            default:
                throw new ResourceRejectedException(
                    $"{path}.{CommonTlsContext.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(common)!.Name}", "is not supported, and without it whoever connects would be let in");
        }
    }

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
            throw new ResourceRejectedException(path, "is not supported, and is not left out in silence: the listener is refused");
        }
    }
}
