using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>A peer whose certificate was accepted, with a name of a kind (Envoy's <c>envoy.rbac.principals.mtls_authenticated</c>).</summary>
/// <param name="name">The name; <see langword="null"/> for any peer.</param>
internal sealed class ProvenPeerRule(SanMatcher? name) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request)
        => request.Connection is { IsMutualTls: true, PeerCertificate: { } certificate } && (name is null || name.Matches(SubjectAltNames.Of(certificate)));
}
