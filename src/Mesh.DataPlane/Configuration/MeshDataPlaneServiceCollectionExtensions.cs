using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Client;
using Mesh.Xds.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Configuration;

/// <summary>Puts the settings and the one engine of a process into its container; the doors share both.</summary>
internal static class MeshDataPlaneServiceCollectionExtensions
{
    public static IMeshBuilder AddMeshDataPlane(this IServiceCollection services, Action<MeshOptions>? configure)
    {
        if (configure is not null)
        {
            services.AddOptions<MeshOptions>().PostConfigure(configure);
        }

        if (services.Any(s => s.ServiceType == typeof(MeshEngine)))
        {
            return new MeshBuilder(services);
        }

        services.AddOptions<MeshOptions>().ValidateOnStart();
        services.AddSingleton<IConfigureOptions<MeshOptions>>(
            p => new ConfigureOptions<MeshOptions>(o => p.GetService<IConfiguration>()?.GetSection(MeshOptions.SectionName).Bind(o)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshOptions>, MeshOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshOptions>, MeshIdentityOptionsValidator>());
        UnknownSettings.Add(services, MeshOptions.SectionName, typeof(MeshOptions));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRandomSource>(SystemRandomSource.Instance);
        services.TryAddSingleton<IEndpointTransportFactory, SocketTransportFactory>();
        services.TryAddSingleton(p => DnsResolvers.Create(p.GetRequiredService<IOptions<MeshOptions>>().Value.Client, p.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(XdsClientFactory.LoadBootstrap);
        services.TryAddSingleton(XdsClientFactory.Create);
        services.TryAddSingleton<ISecretSource>(p => WorkloadIdentityFactory.Create(p)!); // None where the process has no identity, which GetService allows.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkloadIdentityService>());
        services.AddSingleton(CreateEngine);
        return new MeshBuilder(services);
    }

    private static MeshEngine CreateEngine(IServiceProvider p)
    {
        var identity = p.GetService<ISecretSource>();
        var engine = new MeshEngine(
            p.GetRequiredService<IXdsClient>(),
            p.GetRequiredService<IOptions<MeshOptions>>().Value,
            p.GetRequiredService<IEndpointTransportFactory>(),
            p.GetRequiredService<IRandomSource>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetService<IDecisionObserver>(),
            p.GetService<ILogger<MeshEngine>>(),
            HttpFilters.Create(p),
            p.GetRequiredService<IDnsResolver>(),
            p.GetService<BackOffTime>())
        {
            Identity = identity,
        };

        // Not every process has a host that would start it.
        (identity as WorkloadIdentity)?.Start();
        return engine;
    }
}
