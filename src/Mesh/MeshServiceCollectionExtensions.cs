using Mesh;
using Microsoft.Extensions.Configuration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Switches the mesh on for an application.</summary>
public static class MeshServiceCollectionExtensions
{
    /// <summary>
    /// Makes the application part of the mesh: its clients follow the mesh's rules, and if it serves, it registers as a workload. Calling it twice is
    /// harmless.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Changes the settings, after the configuration section <c>Mesh</c>.</param>
    /// <returns>A builder for further features.</returns>
    public static IMeshBuilder AddMesh(this IServiceCollection services, Action<MeshOptions>? configure = null)
    {
        services.AddMeshClient(configure);
        return services.AddMeshServer();
    }

    /// <inheritdoc cref="AddMesh(IServiceCollection, Action{MeshOptions})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="section">The settings, in place of the section <c>Mesh</c>.</param>
    public static IMeshBuilder AddMesh(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddMesh(section.Bind);
    }
}
