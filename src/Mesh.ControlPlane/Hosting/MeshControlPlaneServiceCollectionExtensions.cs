using Mesh;
using Mesh.ControlPlane;
using Mesh.ControlPlane.ClientStatus;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Debug;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Hosting;
using Mesh.ControlPlane.Issuers;
using Mesh.ControlPlane.Load;
using Mesh.ControlPlane.Monitoring;
using Mesh.ControlPlane.Registry;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Mesh.Xds.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes an application the control plane of a mesh.</summary>
public static class MeshControlPlaneServiceCollectionExtensions
{
    /// <summary>
    /// Adds the control plane: Istio YAML and registered workloads become xDS. Settings come from the configuration section
    /// <c>Mesh:ControlPlane</c>, then from <paramref name="configure"/>. Calling it twice is harmless.
    /// </summary>
    /// <remarks>It opens no port by itself: <c>app.MapMeshXds()</c> of the package Mesh.Xds.Server puts it among an application's endpoints.</remarks>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <returns>A builder for further features.</returns>
    /// <exception cref="OptionsValidationException">At start-up, when a setting is invalid; the message names each.</exception>
    public static IMeshControlPlaneBuilder AddMeshControlPlane(this IServiceCollection services, Action<MeshControlPlaneOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
        {
            services.AddOptions<MeshControlPlaneOptions>().Configure(configure);
        }

        if (services.Any(service => service.ServiceType == typeof(DiscoveryServer)))
        {
            return new MeshControlPlaneBuilder(services);
        }

        // First in line, so that code overrides configuration in whatever order the two are called.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<MeshControlPlaneOptions>>(
            provider => new ConfigureOptions<MeshControlPlaneOptions>(
                options =>
                {
                    var configuration = provider.GetService<IConfiguration>();
                    configuration?.GetSection(MeshControlPlaneOptions.SectionName).Bind(options);
                    configuration?.GetSection(MeshCompatOptions.SectionName).Bind(options.Compat);
                })));
        services.AddOptions<MeshControlPlaneOptions>().ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<MeshControlPlaneOptions>>(provider => new ContentRootPaths(provider.GetService<IHostEnvironment>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshControlPlaneOptions>, MeshControlPlaneOptionsValidator>());
        UnknownSettings.Add(services, MeshControlPlaneOptions.SectionName, typeof(MeshControlPlaneOptions));
        UnknownSettings.Add(services, MeshCompatOptions.SectionName, typeof(MeshCompatOptions));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(MetricRegistry.Create);
        services.TryAddSingleton(CreateFolder);
        services.TryAddSingleton<IConfigStore>(CreateStore);
        services.TryAddSingleton(CreateRegistry);
        services.TryAddSingleton<IIssuerDocuments>(_ => new HttpIssuerDocuments(HttpIssuerDocuments.CreateHandler()));
        services.AddSingleton(provider => new OpenIdDiscovery(
            provider.GetRequiredService<IIssuerDocuments>(), provider.GetRequiredService<TimeProvider>(), provider.GetService<IRandomSource>() ?? SystemRandomSource.Instance));
        services.AddSingleton(CreateDiscovery);
        SecurityServices.Add(services);
        LoadServices.Add(services);
        services.AddSingleton<IClientStatusServer, ConnectedClientStatus>();
        DebugServices.Add(services);
        services.TryAddSingleton<IAdsServer>(StartServer);
        services.AddHostedService<ControlPlaneService>();
        return new MeshControlPlaneBuilder(services);
    }

    /// <inheritdoc cref="AddMeshControlPlane(IServiceCollection, Action{MeshControlPlaneOptions})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="section">The settings, on top of the section <c>Mesh:ControlPlane</c>.</param>
    public static IMeshControlPlaneBuilder AddMeshControlPlane(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddMeshControlPlane(section.Bind);
    }

    private static ConfigStore CreateStore(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        var sources = provider.GetServices<IConfigSource>().ToList();
        if (options.ConfigFolder is { Length: > 0 })
        {
            sources.Add(provider.GetRequiredService<FolderConfigSource>());
        }

        return new ConfigStore(sources);
    }

    private static FolderConfigSource CreateFolder(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        return new FolderConfigSource(
            options.ConfigFolder!,
            provider.GetRequiredService<TimeProvider>(),
            LoggerOf<FolderConfigSource>(provider),
            new FolderConfigOptions { Reader = new ConfigReaderOptions { Lenient = options.Lenient } });
    }

    private static ServiceRegistry CreateRegistry(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        var file = string.IsNullOrEmpty(options.RegistrationsFile)
            ? null
            : new RegistrationsFile(options.RegistrationsFile, time, LoggerOf<RegistrationsFile>(provider));
        return new ServiceRegistry(
            new ServiceRegistryOptions(options.DisconnectGrace, options.RestartGrace, options.AllowUnauthenticatedRegistration),
            file,
            time,
            LoggerOf<ServiceRegistry>(provider));
    }

    private static DiscoveryServer CreateDiscovery(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value;
        return new DiscoveryServer(
            provider.GetRequiredService<IConfigStore>(),
            provider.GetRequiredService<ServiceRegistry>(),
            new DiscoveryOptions(options.ClusterDomain, options.PushDebounce, options.PushDebounceMax, options.RestartGrace, options.Compat.Retry503),
            provider.GetRequiredService<TimeProvider>(),
            LoggerOf<DiscoveryServer>(provider),
            provider.GetRequiredService<Gatekeeper>(),
            provider.GetService<TrustBundle>(),
            new PilotMetrics(provider.GetRequiredService<MetricRegistry>()),
            provider.GetRequiredService<OpenIdDiscovery>());
    }

    /// <summary>Whoever gets hold of the server finds it knowing its documents and workloads, with or without a host around.</summary>
    private static AdsServer StartServer(IServiceProvider provider)
    {
        var discovery = provider.GetRequiredService<DiscoveryServer>();
        var server = new AdsServer(discovery, LoggerOf<AdsServer>(provider), time: provider.GetRequiredService<TimeProvider>(), metrics: provider.GetRequiredService<MetricRegistry>());
        provider.GetRequiredService<ServiceRegistry>().Restore();
        discovery.Start(server);
        var store = provider.GetRequiredService<IConfigStore>();
        PilotMetrics.Observe(provider.GetRequiredService<MetricRegistry>(), () => discovery.Model, () => store.Diagnostics);
        return server;
    }

    private static ILogger<T> LoggerOf<T>(IServiceProvider provider) => provider.GetService<ILogger<T>>() ?? NullLogger<T>.Instance;
}
