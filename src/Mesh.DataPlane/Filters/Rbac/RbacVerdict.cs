namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>What an engine says to a request.</summary>
/// <param name="IsAllowed">Whether it may pass.</param>
/// <param name="Policy">The policy that says so; <see langword="null"/> when none matched.</param>
/// <param name="IsLogged">Whether it is to be logged; <see langword="null"/> when that was not asked.</param>
internal readonly record struct RbacVerdict(bool IsAllowed, string? Policy, bool? IsLogged = null)
{
    /// <summary>Of a request that can be read in two ways: it passes if it does in both, and is logged if it is in one.</summary>
    public static RbacVerdict Of(in RbacVerdict first, in RbacVerdict second)
    {
        if (!first.IsAllowed)
        {
            return first;
        }

        return !second.IsAllowed || first.Policy is null || (second.IsLogged == true && first.IsLogged != true) ? second : first;
    }
}
