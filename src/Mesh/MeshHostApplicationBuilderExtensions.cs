using Mesh;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Extensions.Hosting;

/// <summary>Switches the mesh on for an application.</summary>
public static class MeshHostApplicationBuilderExtensions
{
    /// <summary>
    /// Makes the application part of the mesh: its clients follow the mesh's rules, and if it serves, it registers as a workload. Settings come from
    /// the configuration section <c>Mesh</c>, the bootstrap file that <c>GRPC_XDS_BOOTSTRAP</c> names, then from <paramref name="configure"/>.
    /// Calling it twice is harmless.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <returns>A builder for further features.</returns>
    public static IMeshBuilder AddMesh(this IHostApplicationBuilder builder, Action<MeshOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Services.AddMesh(configure);
    }
}
