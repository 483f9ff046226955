using Mesh;

namespace OpenTelemetry.Resources;

/// <summary>The workload as the resource of its signals.</summary>
public static class MeshResourceBuilderExtensions
{
    /// <summary>
    /// Names the service as Istio's traces do, by the label <c>app</c> and the namespace (<c>productpage.default</c>), with its namespace and version.
    /// </summary>
    /// <param name="builder">The resource's builder.</param>
    /// <param name="workload">The workload: <c>MeshOptions.Workload</c>.</param>
    public static ResourceBuilder AddMeshWorkload(this ResourceBuilder builder, MeshWorkload workload)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(workload);
        var labels = workload.EffectiveLabels();
        return builder.AddService(
            labels.TryGetValue("app", out var app) ? $"{app}.{workload.Namespace}" : $"istio-proxy.{workload.Namespace}",
            workload.Namespace,
            labels.GetValueOrDefault("version"),
            autoGenerateServiceInstanceId: false);
    }
}
