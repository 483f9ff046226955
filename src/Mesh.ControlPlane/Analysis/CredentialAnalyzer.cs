using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;
using Secret = Mesh.K8s.V1.Secret;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Secrets that a DestinationRule names and that are not there, or have nothing of what it needs.</summary>
internal static class CredentialAnalyzer
{
    public static void Analyze(ConfigResource resource, DestinationRule spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var (policy, path) in DestinationRuleAnalyzer.PoliciesOf(spec))
        {
            Analyze(resource, spec, policy.Tls, $"{path}.tls", config, diagnostics);
            for (var i = 0; i < policy.PortLevelSettings.Count; i++)
            {
                Analyze(resource, spec, policy.PortLevelSettings[i].Tls, $"{path}.portLevelSettings[{i}].tls", config, diagnostics);
            }
        }
    }

    private static void Analyze(
        ConfigResource resource, DestinationRule spec, ClientTLSSettings? tls, string path, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (tls is not { Mode: Mode.Simple or Mode.Mutual, CredentialName.Length: > 0 })
        {
            return;
        }

        path += ".credentialName";
        var needsKey = tls.Mode == Mode.Mutual;
        var needsAuthority = tls.InsecureSkipVerify != true;
        var name = SecretName.OfCertificate(tls.CredentialName);
        var isForItsOwn = spec.WorkloadSelector is not null || spec.ExportTo is ["."];
        var @namespace = name.Namespace.Length > 0 ? name.Namespace : resource.Namespace;
        if (isForItsOwn && @namespace != resource.Namespace)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.ReferencedResourceNotFound,
                path,
                $"is for workloads of {resource.Namespace}, and Secrets of {@namespace} are read by workloads of {@namespace} only: every request will fail; copy the Secret");
            return;
        }

        // A rule for everyone means the Secret of this name in each client's own namespace.
        var isForOthers = name.Namespace.Length == 0 && !isForItsOwn;
        var holders = config.Secrets.Values
            .Where(secret => (secret.Name == name.Name || secret.Name == name.SuffixedName) && (isForOthers || secret.Namespace == @namespace))
            .ToArray();
        var key = holders.Any(holder => holder.Name == name.Name && HasPair(holder));
        var authority = holders.Any(HasAuthority);
        if (holders.Length == 0)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.ReferencedResourceNotFound,
                path,
                $"there is no Secret {@namespace}/{name.Name} with a certificate or an authority yet; until it comes, every request fails. A Secret is read by workloads of its own namespace");
        }
        else if (needsKey && !key)
        {
            diagnostics.Warn(resource, DiagnosticCodes.ReferencedResourceNotFound, path, $"{holders[0]} has no certificate with a key (tls.crt and tls.key), which mode MUTUAL shows: every request will fail");
        }
        else if (needsAuthority && !authority)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.ReferencedResourceNotFound,
                path,
                $"{holders[0]} has no authority (ca.crt), and neither is there a Secret {name.SuffixedName} with one, so that nobody could be believed: every request will fail");
        }
    }

    private static bool HasPair(ConfigResource secret) => SecretKeys.Pairs.Any(pair => ((Secret)secret.Spec).Data.ContainsKey(pair.Certificate));

    private static bool HasAuthority(ConfigResource secret) => SecretKeys.Authorities.Any(pair => ((Secret)secret.Spec).Data.ContainsKey(pair.Authorities));
}
