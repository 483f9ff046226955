using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.Filters;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Filters;

/// <summary>The HTTP filters of one engine: the kinds it knows, and how listeners and routes are read that name them.</summary>
internal sealed class HttpFilters(FilterTypes types, FilterServices services)
{
    public FilterServices Services { get; } = services;

    public ListenerType Listeners { get; } = new(types);

    public RouteConfigurationType Routes { get; } = new(types);

    public static HttpFilters Create(IServiceProvider services)
    {
        var types = new FilterTypes(services.GetServices<HttpFilterRegistration>(), services);
        var options = services.GetRequiredService<IOptions<MeshOptions>>().Value;
        var workload = options.Workload;
        return new HttpFilters(
            types,
            new FilterServices(services.GetRequiredService<TimeProvider>(), services.GetRequiredService<IRandomSource>(), ServiceCluster(workload))
            {
                Telemetry = services.GetRequiredService<MeshTelemetry>(),
                Metrics = services.GetRequiredService<MetricRegistry>(),
                CaseInsensitivePaths = options.Server.CaseInsensitivePaths,
                Logger = services.GetService<ILoggerFactory>()?.CreateLogger<HttpFilters>() ?? NullLogger<HttpFilters>.Instance,
                Principal = $"spiffe://{options.Identity.TrustDomain}/ns/{workload.Namespace}/sa/{workload.ServiceAccount}",
                Labels = workload.EffectiveLabels().ToDictionary(StringComparer.Ordinal),
            });
    }

    // As Istio names the service cluster of a proxy: the application and its namespace.
    private static string ServiceCluster(MeshWorkload workload)
        => workload.EffectiveLabels().TryGetValue("app", out var app) ? $"{app}.{workload.Namespace}" : $"istio-proxy.{workload.Namespace}";
}
