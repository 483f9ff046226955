namespace Mesh.ControlPlane.Model;

/// <summary>What a Service says of where its traffic should stay (Kubernetes' <c>spec.trafficDistribution</c>, Istio's annotation).</summary>
internal static class TrafficDistribution
{
    private const string Annotation = "networking.istio.io/traffic-distribution";

    private static readonly string[] SameZone = [TopologyLabels.Network, TopologyLabels.Region, TopologyLabels.Zone];

    private static readonly string[] SameNode = [.. SameZone, TopologyLabels.SubZone, "kubernetes.io/hostname"];

    /// <returns>The labels by which endpoints are preferred, the weightiest first; none for no preference.</returns>
    public static IReadOnlyList<string> Of(string field, IReadOnlyDictionary<string, string> annotations)
        => (field.Length > 0 ? field : annotations.GetValueOrDefault(Annotation, "")).ToUpperInvariant() switch
        {
            "PREFERCLOSE" or "PREFERSAMEZONE" => SameZone,
            "PREFERSAMENODE" => SameNode,
            _ => [],
        };
}
