using System.Net;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Benchmarks;

/// <summary>
/// Pairs of workloads with both ends of the mesh, one pair for each choice of signals: <c>silent</c> tells nothing, <c>counted</c> has Istio's metrics,
/// <c>traced</c> one trace in a hundred, <c>logged</c> an access log in a file, and <c>telling</c> all of them.
/// </summary>
internal sealed class SignalsMesh : IAsyncDisposable
{
    public static readonly string[] Choices = ["silent", "counted", "traced", "logged", "telling"];

    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-signals-").FullName;
    private readonly ServiceProvider _controlPlane;
    private readonly List<WebApplication> _apps = [];
    private readonly Dictionary<string, IServiceProvider> _callers = [];
    private WebApplication _collector = null!;

    private SignalsMesh()
    {
        var source = new InMemoryConfigSource(TimeProvider.System);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IConfigSource>(source);
        services.AddMeshControlPlane(options =>
        {
            options.RegistrationsFile = "";
            options.CertificateAuthority.Folder = "";
        });
        _controlPlane = services.BuildServiceProvider();
        source.Apply(string.Join("\n---\n", Choices.Select(choice => $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{choice}} }
            spec: {selector: {app: {{choice}} }, ports: [{name: http, port: 9080}]}
            """)));
    }

    public static async Task<SignalsMesh> StartAsync()
    {
        var mesh = new SignalsMesh();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        mesh._collector = builder.Build();
        mesh._collector.MapPost("/api/v2/spans", () => Microsoft.AspNetCore.Http.Results.Accepted());
        await mesh._collector.StartAsync();
        foreach (var choice in Choices)
        {
            await mesh.StartAsync(choice, choice);
            mesh._callers[choice] = (await mesh.StartAsync(choice + "-caller", choice)).Services;
        }

        return mesh;
    }

    /// <summary>Calls one end of a pair from the other.</summary>
    public SocketCaller CallerOf(string choice)
        => new(_callers[choice].GetRequiredService<IHttpClientFactory>().CreateClient(), $"http://{choice}:9080{SocketCaller.Path}")
        {
            // Not an id of the caller's own: the mesh's decide which requests are traced.
            Header = "x-user",
        };

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }

        await _collector.DisposeAsync();
        await _controlPlane.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<WebApplication> StartAsync(string name, string choice)
    {
        var payload = new byte[1024];
        Array.Fill(payload, (byte)' ');
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.AddSingleton<IAdsTransport>(_ => new InProcessAdsTransport(_controlPlane.GetRequiredService<IAdsServer>(), "the benchmark"));
        builder.Services.AddHttpClient("");
        builder.AddMesh(mesh =>
        {
            mesh.Workload.Name = name;
            mesh.Identity.Source = MeshIdentitySource.None;
            mesh.Metrics.Enabled = choice is "counted" or "telling";
            mesh.Xds.LoadReporting = choice is not ("counted" or "telling") ? MeshLoadReporting.Never : MeshLoadReporting.Auto;
            mesh.Tracing.Enabled = choice is "traced" or "telling";
            if (mesh.Tracing.Enabled)
            {
                mesh.Tracing.ZipkinEndpoint = new Uri(_collector.Urls.First() + "/api/v2/spans");
                mesh.Tracing.Sampling = 1;
            }

            if (choice is "logged" or "telling")
            {
                mesh.AccessLog.Sink = MeshAccessLogSink.File;
                mesh.AccessLog.Path = Path.Combine(_folder, name + ".log");
            }
        });
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = payload.Length;
            return context.Response.Body.WriteAsync(payload).AsTask();
        });
        _apps.Add(app);
        await app.StartAsync();
        var registry = _controlPlane.GetRequiredService<ServiceRegistry>();
        while (registry.Current.Count < _apps.Count)
        {
            await Task.Yield();
        }

        return app;
    }
}
