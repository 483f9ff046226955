namespace Mesh.DataPlane.HealthChecking;

/// <summary>What a check does: HTTP, gRPC or TCP.</summary>
internal abstract class HealthCheckKind
{
    public abstract HealthProbe CreateProbe(HealthCheckTarget target);
}
