namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Says whether a request, or a connection, may pass.</summary>
internal abstract class RbacEngine
{
    public abstract RbacVerdict Decide(scoped in RbacRequest request);
}
