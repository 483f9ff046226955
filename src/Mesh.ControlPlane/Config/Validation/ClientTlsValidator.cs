using Istio.Networking.V1Alpha3;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>How clients speak TLS to a host. What would leave a check out is an error, not a warning.</summary>
internal static class ClientTlsValidator
{
    private const int LongestName = 255;

    public static void Validate(ClientTLSSettings? tls, string path, ValidationContext context)
    {
        if (tls is null)
        {
            return;
        }

        if (tls.Mode is Mode.Simple or Mode.Mutual)
        {
            Originated(tls, path, context);
        }
        else if (tls is not { ClientCertificate: "", PrivateKey: "", CaCertificates: "", CredentialName: "" })
        {
            var mode = tls.Mode == Mode.Disable ? "DISABLE" : "ISTIO_MUTUAL";
            context.Error(path, $"mode {mode} takes no certificates: they are for SIMPLE and MUTUAL.");
        }
    }

    private static void Originated(ClientTLSSettings tls, string path, ValidationContext context)
    {
        if (tls.CaCrl.Length > 0)
        {
            context.Error($"{path}.caCrl", "is not checked by this version, and certificates that have been revoked must not pass for good ones: remove it, or trust an authority that issues for short times.");
        }

        if (tls.CredentialName.Length > 0)
        {
            context.Error($"{path}.credentialName", "is not supported yet: name the files by clientCertificate, privateKey and caCertificates.");
            return;
        }

        if (tls.Mode == Mode.Mutual)
        {
            Required(tls.ClientCertificate, $"{path}.clientCertificate", context);
            Required(tls.PrivateKey, $"{path}.privateKey", context);
        }
        else if (tls is not { ClientCertificate: "", PrivateKey: "" })
        {
            context.Error(path, "mode SIMPLE shows no certificate: write MUTUAL, or remove clientCertificate and privateKey.");
        }

        if (tls.InsecureSkipVerify == true)
        {
            if (tls.CaCertificates.Length > 0)
            {
                context.Error($"{path}.caCertificates", "cannot be given beside insecureSkipVerify, which believes whoever answers.");
            }

            if (tls.SubjectAltNames.Count > 0)
            {
                context.Error($"{path}.subjectAltNames", "cannot be given beside insecureSkipVerify, which believes whoever answers.");
            }
        }

        if (tls.Sni.Length > LongestName)
        {
            context.Error($"{path}.sni", $"has {tls.Sni.Length} characters, more than the {LongestName} of a server name.");
        }

        for (var i = 0; i < tls.SubjectAltNames.Count; i++)
        {
            if (tls.SubjectAltNames[i].Length == 0)
            {
                context.Error($"{path}.subjectAltNames[{i}]", "must not be empty.");
            }
        }
    }

    private static void Required(string value, string path, ValidationContext context)
    {
        if (value.Length == 0)
        {
            context.Error(path, "is required in mode MUTUAL.");
        }
    }
}
