namespace Mesh.ControlPlane.Model;

/// <summary>Who serves a service right now, in the order of <see cref="WorkloadInstance.Id"/>; replaced whole when one of them changes.</summary>
internal sealed class ServiceEndpoints(IReadOnlyList<WorkloadInstance> instances)
{
    public static ServiceEndpoints Empty { get; } = new([]);

    public IReadOnlyList<WorkloadInstance> Instances { get; } = instances;
}
