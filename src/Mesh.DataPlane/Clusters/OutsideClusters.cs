namespace Mesh.DataPlane.Clusters;

/// <summary>Istio's names for where a request goes that no service takes, and what is counted on them.</summary>
internal sealed class OutsideClusters
{
    /// <summary>On to where the request was going.</summary>
    public const string Passthrough = "PassthroughCluster";

    /// <summary>Nowhere.</summary>
    public const string BlackHole = "BlackHoleCluster";

    public ClusterStats PassthroughStats { get; } = new();

    public ClusterStats BlackHoleStats { get; } = new();

    /// <summary>The counts that belong to a name; <see langword="null"/> when it is that of an ordinary cluster.</summary>
    public ClusterStats? StatsOf(string name)
        => name switch
        {
            Passthrough => PassthroughStats,
            BlackHole => BlackHoleStats,
            _ => null,
        };
}
