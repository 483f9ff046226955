using Mesh;
using Mesh.Client;
using Mesh.DataPlane;
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
        if (configure is not null)
        {
            services.AddOptions<MeshOptions>().PostConfigure(configure);
        }

        if (services.Any(s => s.ServiceType == typeof(MeshClientMarker)))
        {
            return new MeshBuilder(services);
        }

        services.AddSingleton<MeshClientMarker>();
        services.AddHttpClient();
        services.AddOptions<MeshOptions>().ValidateOnStart();
        services.AddSingleton<IConfigureOptions<MeshOptions>>(
            p => new ConfigureOptions<MeshOptions>(o => p.GetService<IConfiguration>()?.GetSection(MeshOptions.SectionName).Bind(o)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshOptions>, MeshOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHttpMessageHandlerBuilderFilter, MeshHandlerBuilderFilter>());
        services.AddMeshDataPlane();
        services.AddHostedService<MeshClientService>();
        return new MeshBuilder(services);
    }

    /// <inheritdoc cref="AddMeshClient(IServiceCollection, Action{MeshOptions})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="section">The settings, in place of the section <c>Mesh</c>.</param>
    public static IMeshBuilder AddMeshClient(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddMeshClient(section.Bind);
    }

    private sealed class MeshClientMarker;
}
