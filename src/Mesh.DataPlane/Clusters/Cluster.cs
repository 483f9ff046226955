namespace Mesh.DataPlane.Clusters;

/// <summary>A named group of endpoints: the object is stable, routes hold it, and its state is one reference that is swapped.</summary>
internal sealed class Cluster(string name)
{
    private ClusterState _current = ClusterState.Pending;

    public string Name { get; } = name;

    /// <summary>Read once for each pick.</summary>
    public ClusterState Current => Volatile.Read(ref _current);

    public void Publish(ClusterState state) => Volatile.Write(ref _current, state);

    public override string ToString() => Name;
}
