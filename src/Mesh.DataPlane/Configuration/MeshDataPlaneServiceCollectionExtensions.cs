using System.Diagnostics.Metrics;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;
using Mesh.Xds.Metrics;
using Mesh.Xds.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
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
        services.TryAddSingleton(p => new SeriesLimit(p.GetRequiredService<IOptions<MeshOptions>>().Value.Metrics.MaxSeries));
        services.TryAddSingleton(MetricRegistry.Create);
        services.TryAddSingleton(CreateMetrics);
        services.TryAddSingleton(p => new MeterBridge(p.GetRequiredService<MetricRegistry>(), p.GetService<IMeterFactory>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<RequestSink, LoadSink>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<RequestSink, ClusterRequestSink>());
        services.TryAddSingleton(p => new MeshAccessLogs(
            p.GetRequiredService<IOptions<MeshOptions>>().Value.AccessLog,
            p.GetRequiredService<MetricRegistry>(),
            p.GetRequiredService<IRandomSource>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetService<XdsBootstrap>()?.Node,
            p.GetService<ILoggerFactory>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, AccessLogService>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MeshOptions>, MeshAccessLogOptionsValidator>());
        services.TryAddSingleton(CreateTracing);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TracingService>());
        services.TryAddSingleton(CreateTelemetry);
        services.AddSingleton(CreateEngine);
        return new MeshBuilder(services);
    }

    // None where they are switched off, which GetService allows.
    private static IstioMetrics CreateMetrics(IServiceProvider p)
        => p.GetRequiredService<IOptions<MeshOptions>>().Value.Metrics.Enabled
            ? new IstioMetrics(p.GetRequiredService<MetricRegistry>(), Peer.OfNode(p.GetRequiredService<XdsBootstrap>().Node.Metadata ?? new()), p.GetRequiredService<TimeProvider>())
            : null!;

    // Whoever has been told to count nothing is not asked about each request.
    private static IEnumerable<RequestSink> Sinks(IServiceProvider p)
    {
        var options = p.GetRequiredService<IOptions<MeshOptions>>().Value;
        return p.GetServices<RequestSink>().Where(sink => sink switch
        {
            ClusterRequestSink => options.Metrics.Enabled,
            LoadSink => options.Xds.LoadReporting != MeshLoadReporting.Never,
            _ => true,
        });
    }

    private static MeshTracing CreateTracing(IServiceProvider p)
    {
        var options = p.GetRequiredService<IOptions<MeshOptions>>().Value;
        return new MeshTracing(
            p.GetRequiredService<TimeProvider>(),
            options.Tracing,
            TracedWorkload.Of(options, p.GetService<XdsBootstrap>()?.Node),
            logger: p.GetService<ILogger<MeshTracing>>());
    }

    private static MeshTelemetry CreateTelemetry(IServiceProvider p)
        => new(p.GetRequiredService<TimeProvider>(), Sinks(p))
        {
            Metrics = p.GetService<IstioMetrics>(),
            Downstream = p.GetRequiredService<IOptions<MeshOptions>>().Value.Metrics.Enabled ? new DownstreamMetrics(p.GetRequiredService<MetricRegistry>()) : null,
            AccessLogs = p.GetRequiredService<MeshAccessLogs>(),
            Tracing = p.GetRequiredService<MeshTracing>(),
            OwnMetadata = p.GetRequiredService<IOptions<MeshOptions>>().Value.Metrics.PeerMetadata ? new OwnMetadata(p.GetRequiredService<XdsBootstrap>().Node) : null,
        };

    private static MeshEngine CreateEngine(IServiceProvider p)
    {
        var identity = p.GetService<ISecretSource>();
        p.GetRequiredService<MeterBridge>();
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

        ClusterMetrics.Register(p.GetRequiredService<MetricRegistry>(), engine);
        ControlPlaneMetrics.Register(p.GetRequiredService<MetricRegistry>(), engine);
        ProcessMetrics.Register(p.GetRequiredService<MetricRegistry>(), engine, p.GetRequiredService<TimeProvider>());
        CertificateMetrics.Register(p.GetRequiredService<MetricRegistry>(), engine, p.GetRequiredService<TimeProvider>());
        AccessLogCounts.Declare(p.GetRequiredService<MetricRegistry>());
        TracingMetrics.Register(p.GetRequiredService<MetricRegistry>(), p.GetRequiredService<MeshTracing>());
        engine.LoadReporter = new LoadReporter(
            engine.Client,
            engine.Clusters.Loads,
            p.GetRequiredService<IOptions<MeshOptions>>().Value.Xds.LoadReporting,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<IRandomSource>(),
            p.GetService<ILogger<LoadReporter>>() ?? NullLogger<LoadReporter>.Instance);
        engine.LoadReporter.Register(p.GetRequiredService<MetricRegistry>());
        engine.LoadReporter.Start();

        // Not every process has a host that would start it.
        (identity as WorkloadIdentity)?.Start();
        return engine;
    }
}
