using System.Collections.Frozen;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>What spans say of the process that makes them.</summary>
/// <param name="ServiceName">The service, as collectors search for it.</param>
/// <param name="NodeId">The node in the mesh; empty where it has none.</param>
/// <param name="Zone">Where it runs; empty where nobody has said.</param>
/// <param name="CanonicalName">Istio's canonical service.</param>
/// <param name="CanonicalRevision">Istio's canonical revision.</param>
/// <param name="Namespace">The namespace.</param>
/// <param name="MeshId">The mesh.</param>
/// <param name="ClusterId">The cluster of machines.</param>
internal sealed record TracedWorkload(
    string ServiceName, string NodeId, string Zone, string CanonicalName, string CanonicalRevision, string Namespace, string MeshId, string ClusterId)
{
    /// <summary>Variables that say no more than what the control plane is told anyway: where the process runs, and as what.</summary>
    public static FrozenSet<string> HarmlessVariables { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "HOSTNAME", "POD_NAME", "POD_NAMESPACE", "POD_IP", "INSTANCE_IP", "NODE_NAME", "HOST_IP", "SERVICE_ACCOUNT", "ISTIO_META_WORKLOAD_NAME", "ISTIO_META_CLUSTER_ID", "ISTIO_META_MESH_ID");

    /// <summary>The variables of the environment that configuration may put into spans, with their values.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>A process that says nothing of itself.</summary>
    public static TracedWorkload Unknown { get; } = Of(new MeshOptions(), null);

    /// <param name="options">The settings.</param>
    /// <param name="node">The node that the control plane sees; <see langword="null"/> where there is none.</param>
    public static TracedWorkload Of(MeshOptions options, Envoy.Config.Core.V3.Node? node)
    {
        var labels = options.Workload.EffectiveLabels();
        var workload = Text(node, "WORKLOAD_NAME") ?? options.Workload.Name ?? "unknown";
        var canonical = labels.GetValueOrDefault("service.istio.io/canonical-name") ?? labels.GetValueOrDefault("app.kubernetes.io/name") ?? labels.GetValueOrDefault("app") ?? workload;
        var revision = labels.GetValueOrDefault("service.istio.io/canonical-revision") ?? labels.GetValueOrDefault("app.kubernetes.io/version") ?? labels.GetValueOrDefault("version") ?? "latest";
        var space = options.Workload.Namespace;
        return new TracedWorkload(
            options.Tracing.ServiceName switch
            {
                MeshTracingServiceName.CanonicalNameOnly => canonical,
                MeshTracingServiceName.CanonicalNameAndNamespace => $"{canonical}.{space}",

                // As Istio calls a workload without the label.
                _ => labels.TryGetValue("app", out var app) ? $"{app}.{space}" : node is { Cluster.Length: > 0 } ? node.Cluster : $"istio-proxy.{space}",
            },
            node?.Id ?? "",
            node?.Locality?.Zone ?? "",
            canonical,
            revision,
            space,
            Text(node, "MESH_ID") ?? options.Identity.TrustDomain,
            Text(node, "CLUSTER_ID") ?? "Kubernetes")
        {
            Environment = Variables(HarmlessVariables.Concat(options.Tracing.EnvironmentVariables)),
        };
    }

    private static FrozenDictionary<string, string> Variables(IEnumerable<string> names)
        => names.Distinct(StringComparer.Ordinal)
            .Select(name => KeyValuePair.Create(name, System.Environment.GetEnvironmentVariable(name) ?? ""))
            .Where(variable => variable.Value.Length > 0)
            .ToFrozenDictionary(StringComparer.Ordinal);

    private static string? Text(Envoy.Config.Core.V3.Node? node, string name)
        => node?.Metadata is { } metadata && metadata.Fields.TryGetValue(name, out var value) && value.StringValue.Length > 0 ? value.StringValue : null;
}
