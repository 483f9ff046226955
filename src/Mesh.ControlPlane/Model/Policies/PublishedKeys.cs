using System.Globalization;
using System.Runtime.CompilerServices;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Issuers;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>
/// RequestAuthentications whose rules name no keys, with the address at which their issuers publish them. A rule of which that is not known keeps having no
/// keys: no token of its issuer is good. A policy stays the same object as long as the answers do.
/// </summary>
internal sealed class PublishedKeys(OpenIdDiscovery? issuers)
{
    private readonly ConditionalWeakTable<PolicyRule<RequestAuthentication>, Completed> _completed = [];

    /// <summary>The next policies, completed; the issuers that these need are asked from now on.</summary>
    public IReadOnlyList<PolicyRule<RequestAuthentication>> Complete(IEnumerable<PolicyRule<RequestAuthentication>> policies, ModelDiagnostics diagnostics)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var completed = policies.Select(policy => Complete(policy, needed, diagnostics)).ToList();
        issuers?.Follow(needed);
        return completed;
    }

    private PolicyRule<RequestAuthentication> Complete(PolicyRule<RequestAuthentication> policy, HashSet<string> needed, ModelDiagnostics diagnostics)
    {
        if (issuers is null || !policy.Spec.JwtRules.Any(IsWithoutKeys))
        {
            return policy;
        }

        for (var i = 0; i < policy.Spec.JwtRules.Count; i++)
        {
            var rule = policy.Spec.JwtRules[i];
            if (IsWithoutKeys(rule))
            {
                needed.Add(rule.Issuer);
                if (issuers.Find(rule.Issuer) is { Problem: { } problem } known)
                {
                    diagnostics.Warn(
                        policy.Source,
                        DiagnosticCodes.IssuerUnknown,
                        string.Create(CultureInfo.InvariantCulture, $"spec.jwtRules[{i}].issuer"),
                        $"{problem}; {(known.JwksUri is { } last ? $"its keys are fetched from {last} as before" : "until it answers, its tokens are refused")}");
                }
            }
        }

        var addresses = policy.Spec.JwtRules.Select(rule => IsWithoutKeys(rule) ? issuers.Find(rule.Issuer)?.JwksUri : null).ToList();
        if (_completed.TryGetValue(policy, out var before) && before.Addresses.SequenceEqual(addresses))
        {
            return before.Policy;
        }

        var spec = policy.Spec.Clone();
        for (var i = 0; i < addresses.Count; i++)
        {
            spec.JwtRules[i].JwksUri = addresses[i] ?? spec.JwtRules[i].JwksUri;
        }

        var next = new Completed(addresses, new PolicyRule<RequestAuthentication>(policy.Source, spec, spec.Selector, policy.Targets));
        _completed.AddOrUpdate(policy, next);
        return next.Policy;
    }

    private static bool IsWithoutKeys(JWTRule rule) => rule.JwksUri.Length == 0 && rule.Jwks.Length == 0;

    private sealed record Completed(IReadOnlyList<string?> Addresses, PolicyRule<RequestAuthentication> Policy);
}
