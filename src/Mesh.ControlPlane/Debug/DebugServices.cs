using Mesh.ControlPlane.Debug.Describing;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.ControlPlane.Debug;

/// <summary>The pages under <c>/debug</c>; another page is one line here.</summary>
internal static class DebugServices
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<ConnectedProxies>();
        services.AddSingleton<IDebugPage, RegistryPage>();
        services.AddSingleton<IDebugPage, EndpointsPage>();
        services.AddSingleton<IDebugPage, InstancesPage>();
        services.AddSingleton<IDebugPage, ConfigPage>();
        services.AddSingleton<IDebugPage, DiagnosticsPage>();
        services.AddSingleton<IDebugPage, MeshPage>();
        services.AddSingleton<IDebugPage, TelemetryPage>();
        services.AddSingleton<IDebugPage, AuthorizationPage>();
        services.AddSingleton<IDebugPage, SyncPage>();
        services.AddSingleton<IDebugPage, AdsPage>();
        services.AddSingleton<IDebugPage, ConfigDumpPage>();
        services.AddSingleton<IDebugPage, DescribePage>();
        services.AddSingleton<IControlPlaneDebug, ControlPlaneDebug>();
    }
}
