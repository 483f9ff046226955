using Mesh;
using Mesh.Client;
using Mesh.Client.Bypass;
using Mesh.Client.DefaultProxy;
using Mesh.Client.Tcp;
using Mesh.DataPlane.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Switches the mesh on for the clients of an application, with or without ASP.NET Core.</summary>
public static class MeshClientServiceCollectionExtensions
{
    /// <summary>
    /// Lets every <c>HttpClient</c> of the factory follow the mesh's rules. Settings come from the configuration section <c>Mesh</c>, then from
    /// <paramref name="configure"/>. Calling it twice is harmless.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <returns>A builder for further features.</returns>
    /// <exception cref="OptionsValidationException">At start-up, when a setting is invalid; the message names each.</exception>
    public static IMeshBuilder AddMeshClient(this IServiceCollection services, Action<MeshOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var builder = services.AddMeshDataPlane(configure);
        services.AddHttpClient();
        if (!services.Any(s => s.ImplementationType == typeof(MeshHandlerBuilderFilter)))
        {
            // The factory nests filters in the order of their registration: the first one adds its handler after all others have.
            services.Insert(0, ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, MeshHandlerBuilderFilter>());
        }

        services.TryAddSingleton<BypassWatcher>();
        services.TryAddSingleton<MeshHttpMessageHandlerFactory>();
        services.TryAddSingleton<IMeshHttpMessageHandlerFactory>(p => p.GetRequiredService<MeshHttpMessageHandlerFactory>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, MeshClientService>());
        services.TryAddSingleton<MeshConnector>();
        services.TryAddSingleton<IMeshConnector>(p => p.GetRequiredService<MeshConnector>());
        services.TryAddSingleton<MeshTcpListeners>();
        services.TryAddSingleton<IMeshTcpListeners>(p => p.GetRequiredService<MeshTcpListeners>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TcpListenerService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DefaultProxyService>());
        return builder;
    }

    /// <inheritdoc cref="AddMeshClient(IServiceCollection, Action{MeshOptions})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="section">The settings, in place of the section <c>Mesh</c>.</param>
    public static IMeshBuilder AddMeshClient(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddMeshClient(section.Bind);
    }
}
