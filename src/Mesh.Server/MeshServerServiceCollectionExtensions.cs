using System.Diagnostics;
using Mesh;
using Mesh.DataPlane;
using Mesh.DataPlane.Configuration;
using Mesh.Server;
using Mesh.Server.Admin;
using Mesh.Server.Connections;
using Mesh.Server.Health;
using Microsoft.AspNetCore.Connections;
using Mesh.Server.Http;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

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
        if (!services.Any(s => s.ServiceType == typeof(MeshListenerFactory)))
        {
            AddConnections(services);
            AddPropagator(services);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>, LineFeeds>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, MeshStartupFilter>());

        // Behind the mesh's way in: a probe is not a request of the mesh.
        services.TryAddSingleton<HealthPipeline>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, HealthPipeline>(p => p.GetRequiredService<HealthPipeline>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HealthServer>());
        AdminServices.Add(services);
        services.TryAddSingleton<WorkloadRegistration>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkloadRegistration>(p => p.GetRequiredService<WorkloadRegistration>()));
        return builder;
    }

    // The server reads the traces of its callers by what is registered: what the application has said of them stays.
    private static void AddPropagator(IServiceCollection services)
        => services.AddSingleton(MeshContextPropagator.Over(services.LastOrDefault(s => s.ServiceType == typeof(DistributedContextPropagator))));

    private static void AddConnections(IServiceCollection services)
    {
        services.AddSingleton(new RegisteredTransport(services));
        services.AddSingleton<ServerSchemes>();
        services.AddSingleton<ProbeWarning>();
        services.AddSingleton<RefusalLog>();
        services.AddSingleton<IStartupFilter, CoveredPorts>();
        services.AddSingleton(InboundPortsFactory.Create);
        services.AddSingleton(p => new InboundAdmission(
            p.GetRequiredService<ServerSchemes>(),
            p.GetRequiredService<ProbeWarning>(),
            p.GetRequiredService<RefusalLog>(),
            p.GetRequiredService<IOptions<SocketTransportOptions>>(),
            p.GetRequiredService<IOptions<MeshOptions>>(),
            p.GetRequiredService<MeshEngine>().Filters.Services,
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<MeshListenerFactory>();
        services.Add(ServiceDescriptor.Describe(typeof(IConnectionListenerFactory), RegisteredTransport.MeshFactory, ServiceLifetime.Singleton));
        CoveredQuic.Replace(services);

        // HTTP/2 between proxies says http on TLS; what the application is told is set from the connection.
        services.AddOptions<KestrelServerOptions>().PostConfigure<IOptions<MeshOptions>>((kestrel, mesh) => kestrel.AllowAlternateSchemes |= mesh.Value.Server.Inbound);
    }
}
