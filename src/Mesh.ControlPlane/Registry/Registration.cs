using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Registry;

/// <summary>What the registry holds of one workload; guarded by the registry's lock.</summary>
internal sealed class Registration(WorkloadInstance instance)
{
    public WorkloadInstance Instance { get; set; } = instance;

    public bool IsReady { get; set; }

    /// <summary>What the workload has proven its identity with; <see langword="null"/> when with nothing.</summary>
    public string? Credential { get; set; }

    /// <summary>Whether it reported that it can no longer be called.</summary>
    public bool SaidGoodBye { get; set; }

    /// <summary>The stream that speaks for the workload; <see langword="null"/> while it is disconnected.</summary>
    public WorkloadSession? Session { get; set; }

    /// <summary>Removes the workload when its grace is over.</summary>
    public GracePeriod? Grace { get; set; }
}
