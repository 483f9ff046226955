using Istio.Security.V1Beta1;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>The policies that a workload is under.</summary>
/// <param name="Authorizations">Those of the root namespace first, each namespace's oldest first.</param>
/// <param name="Requests">The workload's own namespace's first.</param>
/// <param name="Peers">From the mesh down to the workload.</param>
internal sealed record WorkloadPolicies(
    IReadOnlyList<PolicyRule<AuthorizationPolicy>> Authorizations,
    IReadOnlyList<PolicyRule<RequestAuthentication>> Requests,
    IReadOnlyList<PolicyRule<PeerAuthentication>> Peers)
{
    public MutualTlsModes MutualTls => field ??= MutualTlsModes.Of(Peers);

    /// <summary>The rules of every RequestAuthentication, by issuer, so that the same policies come to the same bytes.</summary>
    public IReadOnlyList<JWTRule> JwtRules => field ??= [.. Requests.SelectMany(policy => policy.Spec.JwtRules).OrderBy(rule => rule.Issuer, StringComparer.Ordinal)];

    /// <summary>Everything that it is made of, by identity.</summary>
    public IEnumerable<object> Parts => Authorizations.Cast<object>().Concat(Requests).Concat(Peers);

    public IReadOnlyList<PolicyRule<AuthorizationPolicy>> Of(Action action) => [.. Authorizations.Where(policy => policy.Spec.Action == action)];
}
