using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at the peer's identity in the mesh, which Istio's proxies keep as the filter state <c>io.istio.peer_principal</c>.</summary>
internal sealed class IdentityRule(StringMatcher matcher) : RbacRule
{
    public const string FilterState = "io.istio.peer_principal";

    public override bool IsMatch(scoped in RbacRequest request)
        => request.Connection is { IsMutualTls: true, PeerIdentity: not null } connection && matcher.IsMatch(connection.UriNames[0]);

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(RbacKey.Of(RbacKeyKind.Principal, matcher));

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(RbacKey.Of(RbacKeyKind.Principal, matcher));
}
