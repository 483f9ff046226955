using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Endpoints;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Admin;

/// <summary>What the admin is made of; nothing of it runs before somebody asks, but the port if there is one.</summary>
internal static class AdminServices
{
    public static void Add(IServiceCollection services)
    {
        if (services.Any(s => s.ServiceType == typeof(AdminDoor)))
        {
            return;
        }

        services.AddSingleton<AdminDoor>();
        services.AddSingleton<AdminEndpoints>();
        services.AddSingleton(p => new Lazy<AdminEndpoints>(p.GetRequiredService<AdminEndpoints>));
        services.AddSingleton<ServerState>();
        services.TryAddSingleton(p => new DecisionLog(p.GetRequiredService<TimeProvider>(), p.GetRequiredService<IOptions<MeshOptions>>().Value.Admin.RecordedDecisions));
        services.TryAddSingleton<IDecisionObserver>(p => p.GetRequiredService<DecisionLog>());
        services.AddSingleton<LogLevels>();
        services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>>(p => p.GetRequiredService<LogLevels>());
        services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>>(p => p.GetRequiredService<LogLevels>());

        // In the order of the list.
        services.AddSingleton<AdminEndpoint, IndexEndpoint>();
        services.AddSingleton<AdminEndpoint, ClustersEndpoint>();
        services.AddSingleton<AdminEndpoint, RoutesEndpoint>();
        services.AddSingleton<AdminEndpoint, ListenersEndpoint>();
        services.AddSingleton<AdminEndpoint, XdsEndpoint>();
        services.AddSingleton<AdminEndpoint, CertsEndpoint>();
        services.AddSingleton<AdminEndpoint, ConfigDumpEndpoint>();
        services.AddSingleton<AdminEndpoint, DumpEndpoint>();
        services.AddSingleton<AdminEndpoint, ExplainEndpoint>();
        services.AddSingleton<AdminEndpoint, ExplainInboundEndpoint>();
        services.AddSingleton<AdminEndpoint, DecisionsEndpoint>();
        services.AddSingleton<AdminEndpoint, StatsEndpoint>();
        services.AddSingleton<AdminEndpoint, PrometheusEndpoint>();
        services.AddSingleton<AdminEndpoint, LoggingEndpoint>();
        services.AddSingleton<AdminEndpoint, DrainListenersEndpoint>();
        services.AddSingleton<AdminEndpoint, ServerInfoEndpoint>();
        services.AddSingleton<AdminEndpoint, BootstrapEndpoint>();
        services.AddSingleton<AdminEndpoint, ReadyEndpoint>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, AdminServer>());
    }
}
