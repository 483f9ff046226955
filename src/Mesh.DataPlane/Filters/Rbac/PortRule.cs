namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at the port that the connection came in by.</summary>
/// <param name="start">The first.</param>
/// <param name="end">The one behind the last.</param>
internal sealed class PortRule(int start, int end) : RbacRule
{
    public override bool IsMatch(scoped in RbacRequest request) => request.Connection?.LocalEndPoint?.Port is { } port && port >= start && port < end;
}
