namespace OpenTelemetry.Metrics;

/// <summary>The mesh's metrics among an application's.</summary>
public static class MeshMeterProviderBuilderExtensions
{
    /// <summary>Listens to the mesh's metrics (the meter <c>Mesh</c>), under the names that Istio, Envoy and their dashboards have.</summary>
    /// <param name="builder">The provider's builder.</param>
    public static MeterProviderBuilder AddMeshInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter("Mesh");
    }
}
