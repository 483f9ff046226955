namespace OpenTelemetry.Trace;

/// <summary>The mesh's spans in an application's traces.</summary>
public static class MeshTracerProviderBuilderExtensions
{
    /// <summary>
    /// Listens to the mesh's spans (the source <c>Mesh</c>): one a request that a client of this process sends, with OpenTelemetry's conventions, the
    /// tags of Envoy and Istio, and what the mesh has decided. The provider's own sampler decides which are recorded. The spans of requests that come
    /// in are ASP.NET Core's, which its own instrumentation listens to; the mesh adds to them.
    /// </summary>
    /// <param name="builder">The provider's builder.</param>
    public static TracerProviderBuilder AddMeshInstrumentation(this TracerProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddSource("Mesh");
    }
}
