using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at the path, without query and fragment.</summary>
internal sealed class PathRule(StringMatcher matcher) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => request.IsHttp && matcher.IsMatch(request.View.Path);

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(RbacKey.Of(RbacKeyKind.Path, matcher));

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(RbacKey.Of(RbacKeyKind.Path, matcher));
}
