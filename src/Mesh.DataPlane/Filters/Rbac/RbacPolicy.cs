namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>A named policy: one of its permissions for one of its principals.</summary>
internal sealed class RbacPolicy(string name, RbacRule permissions, RbacRule principals)
{
    public string Name { get; } = name;

    /// <summary>What it is about, the half of a match.</summary>
    public RbacRule Permissions => permissions;

    /// <summary>Whom it is about, the other half.</summary>
    public RbacRule Principals => principals;

    public bool IsMatch(scoped in RbacRequest request) => permissions.IsMatch(request) && principals.IsMatch(request);

    public RbacKeySet? Keys(RbacKeyCosts costs) => RbacKeySet.Cheapest([permissions.Keys(costs), principals.Keys(costs)]);

    public void AddKeys(RbacKeyCosts costs)
    {
        permissions.AddKeys(costs);
        principals.AddKeys(costs);
    }
}
