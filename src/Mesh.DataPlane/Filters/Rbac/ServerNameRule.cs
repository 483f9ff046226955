using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at the name that TLS asked for (SNI); without TLS it is empty, and a matcher for the empty text holds, as in Envoy.</summary>
internal sealed class ServerNameRule(StringMatcher matcher) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => matcher.IsMatch(request.Connection?.RequestedServerName);
}
