using Mesh;
using Mesh.DataPlane.Configuration;
using Mesh.Server;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes a web application a workload of the mesh.</summary>
public static class MeshServerServiceCollectionExtensions
{
    /// <summary>
    /// Registers the application with the control plane once it listens, and lets it leave without losing a request. Settings come from the
    /// configuration section <c>Mesh</c>, then from <paramref name="configure"/>. Calling it twice is harmless; without a web server it does nothing.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <returns>A builder for further features.</returns>
    public static IMeshBuilder AddMeshServer(this IServiceCollection services, Action<MeshOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var builder = services.AddMeshDataPlane(configure);
        services.TryAddSingleton<InboundRequests>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, MeshStartupFilter>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkloadRegistration>());
        return builder;
    }
}
