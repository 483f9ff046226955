using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using KubernetesSecret = Mesh.K8s.V1.Secret;
using Secret = Envoy.Extensions.TransportSockets.Tls.V3.Secret;

namespace Mesh.ControlPlane.Generators;

/// <summary>Certificates, keys and authorities of Secrets, as clients ask for them by name (SDS).</summary>
internal static class SecretGenerator
{
    /// <summary>
    /// The Secret that a client means, or <see langword="null"/> when it may not read it: Secrets are for clients of their own namespace, and keys for
    /// those of whom it is known where they are.
    /// </summary>
    public static ConfigResource? Find(Proxy proxy, ConfigIndex config, SecretName name)
    {
        if (proxy.Kind != ProxyKind.Mesh || (name.Namespace.Length > 0 && name.Namespace != proxy.Namespace) || (!name.IsAuthority && !proxy.MayReadKeys))
        {
            return null;
        }

        return (name.IsAuthority ? config.FindSecret(proxy.Namespace, name.SuffixedName) : null) ?? config.FindSecret(proxy.Namespace, name.Name);
    }

    /// <returns>The resource, or <see langword="null"/> when the Secret has nothing of what is asked for.</returns>
    public static Secret? Generate(string resourceName, SecretName name, ConfigResource source)
    {
        var data = ((KubernetesSecret)source.Spec).Data;
        if (name.IsAuthority)
        {
            foreach (var (authorities, revoked) in SecretKeys.Authorities)
            {
                if (Find(authorities) is { } roots)
                {
                    return new Secret
                    {
                        Name = resourceName,
                        ValidationContext = new CertificateValidationContext { TrustedCa = roots, Crl = Find(revoked) },
                    };
                }
            }

            return null;
        }

        foreach (var (certificate, key) in SecretKeys.Pairs)
        {
            if (Find(certificate) is { } chain && Find(key) is { } privateKey)
            {
                return new Secret { Name = resourceName, TlsCertificate = new TlsCertificate { CertificateChain = chain, PrivateKey = privateKey } };
            }
        }

        return null;

        DataSource? Find(string key) => data.TryGetValue(key, out ByteString? bytes) && bytes.Length > 0 ? new DataSource { InlineBytes = bytes } : null;
    }
}
