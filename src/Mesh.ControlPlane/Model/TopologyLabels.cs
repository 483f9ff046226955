namespace Mesh.ControlPlane.Model;

/// <summary>The labels that say where a workload runs; Istio adds them to what a workload carries itself, and subsets and failover may ask for them.</summary>
internal static class TopologyLabels
{
    public const string Region = "topology.kubernetes.io/region";
    public const string Zone = "topology.kubernetes.io/zone";
    public const string SubZone = "topology.istio.io/subzone";
    public const string Cluster = "topology.istio.io/cluster";
    public const string Network = "topology.istio.io/network";

    /// <summary>The value of a label; what is known of the place overrides what the workload says of it.</summary>
    public static string? Find(IReadOnlyDictionary<string, string> labels, MeshLocality locality, string clusterId, string key)
    {
        var place = key switch
        {
            Region => locality.Region,
            Zone => locality.Zone,
            SubZone => locality.SubZone,
            Cluster => clusterId,
            _ => "",
        };
        return place.Length > 0 ? place : labels.GetValueOrDefault(key);
    }
}
