namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Says whether a request, or a connection, may pass.</summary>
internal abstract class RbacEngine
{
    /// <summary>Where its decisions are recorded when they are enforced; <see langword="null"/> for nowhere.</summary>
    public RbacAudit? Audit { get; init; }

    public abstract RbacVerdict Decide(scoped in RbacRequest request);
}
