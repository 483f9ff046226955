using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.LoadReporting;

namespace Mesh.DataPlane.Clusters;

/// <summary>A named group of endpoints: the object is stable, routes hold it, and its state is one reference that is swapped.</summary>
internal sealed class Cluster
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClusterState _current = ClusterState.Pending;

    /// <param name="name">Its name.</param>
    /// <param name="stats">Counts that outlive it; its own when left out.</param>
    public Cluster(string name, ClusterStats? stats = null)
    {
        Name = name;
        Stats = stats ?? new ClusterStats();
        Load = new ClusterLoad(name);
        Breakers = new ClusterBreakers(Stats);
    }

    public string Name { get; }

    /// <summary>What statistics, logs and spans call it: Envoy's observability name.</summary>
    public string StatName => Current.Policy?.StatName ?? Name;

    public ClusterStats Stats { get; }

    /// <summary>What its endpoints are asked, for reports of load.</summary>
    public ClusterLoad Load { get; init; }

    /// <summary>The limits on requests under way; what they count survives every update.</summary>
    public ClusterBreakers Breakers { get; }

    /// <summary>Read once for each pick.</summary>
    public ClusterState Current => Volatile.Read(ref _current);

    /// <summary>Completes when the control plane has said all it has to say of the cluster.</summary>
    public Task Answered => _answered.Task;

    public void Publish(ClusterState state)
    {
        Breakers.Use(state.Policy?.CircuitBreakers ?? ClusterThresholds.None);
        Volatile.Write(ref _current, state);
        if (state.Status != ClusterStatus.Pending)
        {
            _answered.TrySetResult();
        }
    }

    public override string ToString() => Name;
}
