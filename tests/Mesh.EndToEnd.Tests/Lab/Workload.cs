using Mesh.Xds.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A web application with <c>AddMesh()</c> on a free port. It answers with its version and name, and gives the body back.</summary>
internal sealed class Workload : IAsyncDisposable
{
    public const string VersionHeader = "x-version";
    public const string InstanceHeader = "x-instance";

    private readonly WebApplication _app;
    private readonly SemaphoreSlim _events = new(0);
    private int _served;

    private Workload(WebApplication app, string version, string instance)
    {
        _app = app;
        Version = version;
        Instance = instance;
    }

    public string Version { get; }

    public string Instance { get; }

    public Uri Address => new(_app.Urls.First());

    /// <summary>Requests that have come in.</summary>
    public int Served => Volatile.Read(ref _served);

    public XdsClientStatus Xds => _app.Services.GetRequiredService<IXdsClient>().Status;

    public static async Task<Workload> StartAsync(MeshLab lab, string app, string version, Protocol protocol, string instance, Action<MeshOptions>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            System.Net.IPAddress.Loopback,
            0,
            listen => listen.Protocols = protocol == Protocol.Http ? HttpProtocols.Http1 : HttpProtocols.Http2));
        builder.Logging.ClearProviders().AddProvider(lab.Log.For(instance));
        builder.AddMesh(mesh =>
        {
            mesh.Workload = new MeshWorkload(app) { Version = version };
            mesh.Xds.Server = lab.XdsAddress;
            configure?.Invoke(mesh);
        });
        var web = builder.Build();
        var workload = new Workload(web, version, instance);
        web.MapGet("/stream/{count:int}", workload.StreamAsync);
        web.MapFallback(workload.EchoAsync);
        await web.StartAsync().OrHang();
        return workload;
    }

    /// <summary>Lets the next event of a streaming response go.</summary>
    public void ReleaseEvents(int count = 1) => _events.Release(count);

    /// <summary>Stops as SIGTERM stops an application.</summary>
    public Task StopAsync() => _app.StopAsync().OrHang();

    /// <summary>The stream to the control plane ends without a word, as when its connection is cut or the process killed.</summary>
    public Task TearStreamAsync() => _app.Services.GetRequiredService<IXdsClient>().DisposeAsync().AsTask().OrHang();

    public async ValueTask DisposeAsync()
    {
        _events.Release(1000);
        await _app.DisposeAsync().AsTask().OrHang();
    }

    private async Task EchoAsync(HttpContext context)
    {
        Interlocked.Increment(ref _served);
        SetHeaders(context);
        var response = context.Response;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await response.WriteAsync(Instance, context.RequestAborted);
            return;
        }

        response.ContentLength = context.Request.ContentLength;
        await context.Request.Body.CopyToAsync(response.Body, context.RequestAborted);
    }

    private async Task StreamAsync(int count, HttpContext context)
    {
        Interlocked.Increment(ref _served);
        SetHeaders(context);
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        for (var i = 0; i < count; i++)
        {
            await _events.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"data: {Version} {i}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    private void SetHeaders(HttpContext context)
    {
        context.Response.Headers[VersionHeader] = Version;
        context.Response.Headers[InstanceHeader] = Instance;
    }
}
