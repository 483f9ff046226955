using System.Net;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Prometheus;

/// <summary>The monitoring port of a control plane that runs within the test.</summary>
internal sealed class MetricsPort : IAsyncDisposable
{
    private readonly WebApplication _app;

    public MetricsPort(IServiceProvider controlPlane)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshMonitoring(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(controlPlane.GetRequiredService<IControlPlaneDebug>());
        builder.Services.AddSingleton(controlPlane.GetRequiredService<MetricRegistry>());
        _app = builder.Build();
        _app.MapMeshMonitoring();
    }

    public string Address => new Uri(_app.Urls.Single()).Authority;

    public Task StartAsync() => _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
