using System.Net;
using Mesh.Cli.Tests;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Commands;

/// <summary>The port on which a mesh's control plane shows what it knows, and <c>meshctl</c> there.</summary>
internal sealed class MonitoringHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private MonitoringHost(WebApplication app) => _app = app;

    public static async Task<MonitoringHost> StartAsync(PodMesh mesh)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(mesh.ControlPlane.GetRequiredService<IControlPlaneDebug>());
        builder.Services.AddSingleton(mesh.ControlPlane.GetRequiredService<MetricRegistry>());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshMonitoring(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapMeshMonitoring();
        await app.StartAsync().OrHang();
        return new MonitoringHost(app);
    }

    public Task<CommandLine> RunAsync(params string[] arguments) => CommandLine.RunAsync(["--control-plane", _app.Urls.Single(), .. arguments]);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync().AsTask().OrHang();
}
