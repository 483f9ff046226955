using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Identity;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// Certificate providers (gRFC A29) in the words of SDS: whichever instance is named, it is the process's own certificate or the authorities of its
/// mesh. Newer and older fields alike become <see cref="ISecretSource.Certificate"/> and <see cref="ISecretSource.Authorities"/>.
/// </summary>
internal static class CertificateProviderInstances
{
    /// <summary>Puts names of secrets in the place of instances.</summary>
    /// <exception cref="ResourceRejectedException">An instance stands beside what it would replace, or has no name.</exception>
    public static void Resolve(CommonTlsContext common, string path)
    {
#pragma warning disable CS0612 // The older fields, which Istio sends to gRPC.
        if (common.TlsCertificateProviderInstance is { } newer)
        {
            Check(newer.InstanceName, path + ".tls_certificate_provider_instance");
        }
        else if (common.TlsCertificateCertificateProviderInstance is { } older)
        {
            Check(older.InstanceName, path + ".tls_certificate_certificate_provider_instance");
        }

        if (common.TlsCertificateProviderInstance is not null || common.TlsCertificateCertificateProviderInstance is not null)
        {
            common.TlsCertificateProviderInstance = null;
            common.TlsCertificateCertificateProviderInstance = null;
            common.TlsCertificateSdsSecretConfigs.Add(new SdsSecretConfig { Name = ISecretSource.Certificate });
        }

        switch (common.ValidationContextTypeCase)
        {
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContextCertificateProviderInstance:
                Check(common.ValidationContextCertificateProviderInstance.InstanceName, path + ".validation_context_certificate_provider_instance");
                common.ValidationContextSdsSecretConfig = new SdsSecretConfig { Name = ISecretSource.Authorities };
                break;
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContext when common.ValidationContext.CaCertificateProviderInstance is not null:
                var context = common.ValidationContext;
                Take(context, path + ".validation_context");
                common.CombinedValidationContext = new() { DefaultValidationContext = context, ValidationContextSdsSecretConfig = new() { Name = ISecretSource.Authorities } };
                break;
            case CommonTlsContext.ValidationContextTypeOneofCase.CombinedValidationContext:
                Resolve(common.CombinedValidationContext, path + ".combined_validation_context");
                break;
        }
    }

    private static void Resolve(CommonTlsContext.Types.CombinedCertificateValidationContext combined, string path)
    {
        string? named = null;
        if (combined.ValidationContextCertificateProviderInstance is { } older)
        {
            Check(older.InstanceName, path + ".validation_context_certificate_provider_instance");
            combined.ValidationContextCertificateProviderInstance = null;
            named = ".validation_context_certificate_provider_instance";
        }

        if (combined.DefaultValidationContext?.CaCertificateProviderInstance is not null)
        {
            Take(combined.DefaultValidationContext, path + ".default_validation_context");
            named = ".default_validation_context.ca_certificate_provider_instance";
        }

        if (named is not null)
        {
            // As gRPC, which does not ask for a default either.
            combined.DefaultValidationContext ??= new CertificateValidationContext();
            if (combined.ValidationContextSdsSecretConfig is { } other && other.Name != ISecretSource.Authorities)
            {
                throw new ResourceRejectedException(path + named, "cannot be given beside validation_context_sds_secret_config");
            }

            combined.ValidationContextSdsSecretConfig = new SdsSecretConfig { Name = ISecretSource.Authorities };
        }
    }
#pragma warning restore CS0612

    private static void Take(CertificateValidationContext context, string path)
    {
        Check(context.CaCertificateProviderInstance.InstanceName, path + ".ca_certificate_provider_instance");
        if (context.TrustedCa is not null || context.SystemRootCerts is not null)
        {
            throw new ResourceRejectedException(path + ".ca_certificate_provider_instance", "cannot be given beside trusted_ca or system_root_certs");
        }

        context.CaCertificateProviderInstance = null;
    }

    private static void Check(string instance, string path)
    {
        if (instance.Length == 0)
        {
            throw new ResourceRejectedException(path + ".instance_name", "must be set");
        }
    }
}
