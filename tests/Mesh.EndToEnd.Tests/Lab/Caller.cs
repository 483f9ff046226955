using Mesh.DataPlane;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A worker with <c>AddMesh()</c> and no server: what calls.</summary>
internal sealed class Caller : IAsyncDisposable
{
    private readonly IHost _host;

    private Caller(IHost host)
    {
        _host = host;
        Client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("test");
        Client.Timeout = Guard.Hang;
    }

    /// <summary>A client of the factory, as applications get it.</summary>
    public HttpClient Client { get; }

    public MeshEngine Engine => _host.Services.GetRequiredService<MeshEngine>();

    public XdsClientStatus Xds => _host.Services.GetRequiredService<IXdsClient>().Status;

    public static async Task<Caller> StartAsync(TestLog log, Action<MeshOptions> configure, Action<IServiceCollection, IMeshBuilder>? services = null, string name = "caller")
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddProvider(log.For(name));
        var mesh = builder.AddMesh(options =>
        {
            options.Workload = new MeshWorkload(name);
            configure(options);
        });
        services?.Invoke(builder.Services, mesh);
        var host = builder.Build();
        await host.StartAsync().OrHang();
        return new Caller(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().OrHang();
        _host.Dispose();
    }
}
