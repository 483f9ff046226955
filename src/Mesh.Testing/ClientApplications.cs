using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Testing;

/// <summary>The applications behind <see cref="MeshTestHost.CreateClient"/>: one for each workload, with nothing in it but its clients.</summary>
internal sealed class ClientApplications(ApplicationWiring wiring, OutsideDirectory outside, OutboundTrafficMode? outboundTrafficPolicy, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<MeshWorkload, ServiceProvider> _applications = new(ReferenceEqualityComparer.Instance);

    public HttpClient CreateClient(MeshWorkload workload)
    {
        lock (_gate)
        {
            if (!_applications.TryGetValue(workload, out var application))
            {
                _applications[workload] = application = Create(workload);
            }

            return application.GetRequiredService<IHttpClientFactory>().CreateClient();
        }
    }

    public async ValueTask DisposeAsync()
    {
        ServiceProvider[] applications;
        lock (_gate)
        {
            applications = [.. _applications.Values];
            _applications.Clear();
        }

        foreach (var application in applications)
        {
            await application.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ServiceProvider Create(MeshWorkload workload)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(loggers);
        services.AddMeshClient(options =>
        {
            options.Workload = workload;
            options.Client.OutboundTrafficPolicy = outboundTrafficPolicy;
        });

        // A unit test does not call the world by mistake.
        services.ConfigureHttpClientDefaults(client => client.ConfigurePrimaryHttpMessageHandler(outside.CreateHandler));
        wiring.Configure(services);
        return services.BuildServiceProvider();
    }
}
