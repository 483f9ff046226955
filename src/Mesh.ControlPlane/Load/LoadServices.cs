using Mesh.ControlPlane.Debug;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.ControlPlane.Load;

/// <summary>What takes load reports, and what tells of them.</summary>
internal static class LoadServices
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var options = OptionsOf(provider);
            var window = new LoadWindow(provider.GetRequiredService<TimeProvider>(), options.Interval, options.Window);
            window.Register(provider.GetRequiredService<MetricRegistry>());
            return window;
        });
        services.AddSingleton<ILoadReportServer>(provider => new LoadReportServer(
            provider.GetRequiredService<LoadWindow>(),
            OptionsOf(provider),
            provider.GetService<ILogger<LoadReportServer>>() ?? NullLogger<LoadReportServer>.Instance,
            provider.GetRequiredService<Gatekeeper>()));
        services.AddSingleton(provider => new ServiceGraphReader(
            provider.GetRequiredService<LoadWindow>(), () => provider.GetRequiredService<DiscoveryServer>().Model, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IDebugPage, LoadPage>();
    }

    private static MeshControlPlaneLoadOptions OptionsOf(IServiceProvider provider) => provider.GetRequiredService<IOptions<MeshControlPlaneOptions>>().Value.Load;
}
