using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at what filters before this one have left, the claims of a token for instance.</summary>
internal sealed class MetadataRule(MetadataMatcher matcher) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => matcher.IsMatch(request.Exchange);
}
