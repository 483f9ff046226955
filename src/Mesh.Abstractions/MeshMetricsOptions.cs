namespace Mesh;

/// <summary>What this process counts: the configuration section <c>Mesh:Metrics</c>.</summary>
public sealed class MeshMetricsOptions
{
    /// <summary>Whether requests and connections are counted in Istio's metrics (<c>istio_requests_total</c> and so on), whatever the control plane says.</summary>
    /// <value>The default value is <see langword="true"/>, as in an Istio sidecar.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Whether other workloads of the mesh are told who calls: workload, namespace, cluster, and the labels that name application and version. About 300
    /// bytes, sent only where both ends prove by mutual TLS to be of the mesh: once at the beginning of a connection to a server of this mesh, else in
    /// <c>x-envoy-peer-metadata</c> and <c>x-envoy-peer-metadata-id</c> of each request, as an Istio sidecar does.
    /// </summary>
    /// <value>The default value is <see langword="true"/>. Without it the servers' metrics know of this caller its identity and namespace alone.</value>
    public bool PeerMetadata { get; set; } = true;

    /// <summary>
    /// How many label sets one metric may have. What finds no place is counted under the label value <c>overflow</c>, and
    /// <c>mesh_metrics_overflow_total</c> tells of it.
    /// </summary>
    /// <value>The default value is 2000, as in OpenTelemetry. From 1 to 1,000,000.</value>
    public int MaxSeries { get; set; } = 2_000;
}
