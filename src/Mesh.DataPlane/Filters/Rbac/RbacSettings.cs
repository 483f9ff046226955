namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>A configuration of the filter, compiled.</summary>
/// <param name="Rules">Who may pass; <see langword="null"/> for everybody.</param>
/// <param name="ShadowRules">Who would; that is told and nothing else; <see langword="null"/> when nothing is.</param>
/// <param name="RulesPrefix">Stands before the names of the counters of <paramref name="Rules"/>.</param>
/// <param name="ShadowPrefix">Stands before the names of the counters and metadata of <paramref name="ShadowRules"/>.</param>
/// <param name="TracksPolicies">Whether each policy has counters of its own.</param>
internal sealed record RbacSettings(RbacEngine? Rules, RbacEngine? ShadowRules, string RulesPrefix, string ShadowPrefix, bool TracksPolicies)
{
    public bool DoesNothing => Rules is null && ShadowRules is null;
}
