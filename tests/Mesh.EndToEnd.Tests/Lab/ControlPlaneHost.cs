using System.Net;
using Mesh.ControlPlane;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A control plane on Kestrel, in this process.</summary>
internal sealed class ControlPlaneHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ControlPlaneHost(WebApplication app, RecordedRequests requests)
    {
        _app = app;
        Requests = requests;
    }

    /// <summary>Where it is to be reached.</summary>
    public string Address => _app.Urls.First();

    public IAdsServer Server => _app.Services.GetRequiredService<IAdsServer>();

    public DiscoveryServer Discovery => _app.Services.GetRequiredService<DiscoveryServer>();

    public IConfigStore Config => _app.Services.GetRequiredService<IConfigStore>();

    /// <summary>What clients asked for.</summary>
    public RecordedRequests Requests { get; }

    public static async Task<ControlPlaneHost> StartAsync(
        TestLog log, string folder, IPEndPoint? at = null, Action<MeshControlPlaneOptions>? configure = null, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(at?.Address ?? IPAddress.Loopback, at?.Port ?? 0));
        builder.Logging.ClearProviders().AddProvider(log.For("control plane"));
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        // As in production but for the patience with slow editors, which would make fifty changes long.
        builder.Services.AddSingleton(services => new FolderConfigSource(
            folder,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<FolderConfigSource>>(),
            new FolderConfigOptions { SettleTime = TimeSpan.FromMilliseconds(20), GatherTime = TimeSpan.FromMilliseconds(2) }));
        builder.Services.AddMeshControlPlane(options =>
        {
            options.ConfigFolder = folder;
            configure?.Invoke(options);
        });

        var requests = new RecordedRequests();
        var inner = builder.Services.Single(service => service.ServiceType == typeof(IAdsServer));
        builder.Services.Remove(inner);
        builder.Services.AddSingleton<IAdsServer>(services => new RecordingAdsServer((IAdsServer)inner.ImplementationFactory!(services), requests));
        var app = builder.Build();
        app.MapMeshXds();
        await app.StartAsync().OrHang();
        return new ControlPlaneHost(app, requests);
    }

    /// <summary>Waits until what is saved by now is live everywhere.</summary>
    public Task FlushAsync() => Discovery.FlushAsync(CancellationToken.None).OrHang();

    /// <summary>Completes when a document of this kind that says <paramref name="text"/> is live at every client.</summary>
    public async Task WhenLiveAsync(string kind, string text)
    {
        await WhenConfigAsync(store => store.Current.Resources.Any(r => r.Kind.Kind == kind && r.Spec.ToString()!.Contains(text, StringComparison.Ordinal)));
        await FlushAsync();
    }

    /// <summary>Completes when <paramref name="condition"/> holds for the documents, or does already.</summary>
    public async Task WhenConfigAsync(Func<IConfigStore, bool> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(ConfigSnapshot snapshot)
        {
            if (condition(Config))
            {
                reached.TrySetResult();
            }
        }

        Config.Changed += Check;
        try
        {
            Check(Config.Current);
            await reached.Task.OrHang();
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"What was awaited of the documents has not happened; wrong with them is:\n{string.Join('\n', Config.Diagnostics)}");
        }
        finally
        {
            Config.Changed -= Check;
        }
    }

    /// <summary>Completes when <paramref name="condition"/> holds for the workloads that can be called, or does already.</summary>
    public async Task WhenRegisteredAsync(Func<IEnumerable<WorkloadInstance>, bool> condition)
    {
        var registry = _app.Services.GetRequiredService<ServiceRegistry>();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(string id, WorkloadInstance? workload)
        {
            if (condition(registry.Current.Values))
            {
                reached.TrySetResult();
            }
        }

        registry.Changed += Check;
        try
        {
            Check("", null);
            await reached.Task.OrHang();
        }
        finally
        {
            registry.Changed -= Check;
        }
    }

    /// <summary>Completes when the control plane has noticed that the streams of an application are gone.</summary>
    public Task WhenDisconnectedAsync(string app)
        => Requests.WhenAsync(_ => Server.Connections.All(connection => connection.Node?.Id.Contains($"~{app}-", StringComparison.Ordinal) != true));

    /// <summary>Ends without a word to anybody: every connection is cut.</summary>
    public async Task KillAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)).OrHang();
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync().AsTask().OrHang("the end of the control plane");
}
