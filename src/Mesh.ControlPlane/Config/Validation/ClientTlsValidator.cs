using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Generators;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>How clients speak TLS to a host. What contradicts itself is an error: whichever half was meant, the other would be sent.</summary>
internal static class ClientTlsValidator
{
    private const int LongestName = 255;

    public static void Validate(ClientTLSSettings? tls, string path, ValidationContext context)
    {
        switch (tls?.Mode)
        {
            case Mode.Simple or Mode.Mutual:
                Material(tls, path, context);
                Skipping(tls, path, context);
                Names(tls, path, context);
                break;
            case Mode.IstioMutual when FilesOf(tls, path).Concat(CredentialOf(tls, path)).FirstOrDefault() is { } given:
                context.Error(given, "cannot be given with mode ISTIO_MUTUAL, which shows the workload's own certificate: remove it, or write MUTUAL.");
                break;
            case Mode.IstioMutual when tls.InsecureSkipVerify == true:
                context.NotApplied($"{path}.insecureSkipVerify", "accepted, but without effect with mode ISTIO_MUTUAL, as with Istio: whom the mesh's authority vouches for is checked.");
                break;
            case Mode.Disable when FilesOf(tls, path).Concat(CredentialOf(tls, path)).FirstOrDefault() is { } given:
                context.Warn(given, "is not used, since mode is DISABLE: write SIMPLE or MUTUAL, or remove it.");
                break;
        }
    }

    private static void Material(ClientTLSSettings tls, string path, ValidationContext context)
    {
        if (tls.CredentialName.Length > 0)
        {
            Credential(tls.CredentialName, $"{path}.credentialName", context);
            foreach (var given in FilesOf(tls, path))
            {
                context.Error(given, "cannot be given beside credentialName, whose Secret holds it: keep one.");
            }
        }
        else if (tls.Mode == Mode.Mutual)
        {
            foreach (var (value, name) in new[] { (tls.ClientCertificate, "clientCertificate"), (tls.PrivateKey, "privateKey") })
            {
                if (value.Length == 0)
                {
                    context.Error(path, $"mode MUTUAL needs {name}: name the file, or give credentialName.");
                }
            }
        }
        else if (tls.ClientCertificate.Length + tls.PrivateKey.Length > 0)
        {
            context.Error(
                tls.ClientCertificate.Length > 0 ? $"{path}.clientCertificate" : $"{path}.privateKey",
                "is not shown in mode SIMPLE: write MUTUAL, or remove it.");
        }

        if (tls.CaCrl.Length > 0 && tls.CredentialName.Length == 0 && tls.CaCertificates is "" or "system")
        {
            context.Error($"{path}.caCrl", "is a list of one authority: name that authority by caCertificates.");
        }
    }

    private static void Credential(string name, string path, ValidationContext context)
    {
        if (name.Contains("://", StringComparison.Ordinal) && !name.StartsWith(SecretName.Scheme, StringComparison.Ordinal))
        {
            context.Error(path, $"\"{name}\" is not a Secret's name: Secrets are all that credentials are read from here; write its name, or name files by caCertificates.");
            return;
        }

        var secret = SecretName.OfCertificate(name);
        if (!DnsName.IsSubdomain(secret.Name) || (secret.Namespace.Length > 0 && !DnsName.IsLowerLabel(secret.Namespace)))
        {
            context.Error(path, $"\"{name}\" is not a Secret's name: lower-case letters, digits, '-' and '.'.");
        }
    }

    private static void Skipping(ClientTLSSettings tls, string path, ValidationContext context)
    {
        if (tls.InsecureSkipVerify != true)
        {
            return;
        }

        const string reason = "cannot be given beside insecureSkipVerify, which believes whoever answers: keep one.";
        foreach (var (given, name) in new[]
        {
            (tls.CaCertificates.Length > 0, "caCertificates"),
            (tls.CaCrl.Length > 0, "caCrl"),
            (tls.SubjectAltNames.Count > 0, "subjectAltNames"),
            (tls.CredentialName.Length > 0 && tls.Mode == Mode.Simple, "credentialName"),
        })
        {
            if (given)
            {
                context.Error($"{path}.{name}", reason);
            }
        }

        context.Warn($"{path}.insecureSkipVerify", "lets whoever answers take the host's place: name its authority by caCertificates or credentialName instead.");
    }

    private static void Names(ClientTLSSettings tls, string path, ValidationContext context)
    {
        if (tls.Sni.Length > LongestName)
        {
            context.Error($"{path}.sni", $"has {tls.Sni.Length} characters, more than the {LongestName} of a server's name.");
        }
        else if (tls.Sni.Length > 0 && !DnsName.IsHost(tls.Sni))
        {
            context.Error($"{path}.sni", $"\"{tls.Sni}\" is not a server's name: write a DNS name without wildcards.");
        }

        for (var i = 0; i < tls.SubjectAltNames.Count; i++)
        {
            if (tls.SubjectAltNames[i].Length == 0)
            {
                context.Error($"{path}.subjectAltNames[{i}]", "must not be empty: no certificate has such a name.");
            }
        }
    }

    private static IEnumerable<string> FilesOf(ClientTLSSettings tls, string path)
        => new[]
        {
            (tls.ClientCertificate, "clientCertificate"),
            (tls.PrivateKey, "privateKey"),
            (tls.CaCertificates, "caCertificates"),
            (tls.CaCrl, "caCrl"),
        }.Where(file => file.Item1.Length > 0).Select(file => $"{path}.{file.Item2}");

    private static IEnumerable<string> CredentialOf(ClientTLSSettings tls, string path)
        => tls.CredentialName.Length > 0 ? [$"{path}.credentialName"] : [];
}
