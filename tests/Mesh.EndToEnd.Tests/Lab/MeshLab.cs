using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Mesh.ControlPlane;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A mesh in one process: control plane, workloads and callers, each a host of its own, on real sockets.</summary>
internal sealed class MeshLab : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _hosts = [];
    private readonly int _port = FreePort();
    private readonly List<Action> _cleanUps = [];
    private int _instances;

    public TestLog Log { get; } = new();

    public MeshFolder Folder { get; } = new();

    public string XdsAddress => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}");

    public int XdsPort => _port;

    public ControlPlaneHost ControlPlane { get; private set; } = null!;

    /// <summary>Starts the control plane, on the same port each time.</summary>
    public async Task StartControlPlaneAsync(Action<MeshControlPlaneOptions>? configure = null, TimeProvider? time = null)
    {
        ControlPlane = await ControlPlaneHost.StartAsync(Log, Folder.Path, _port, configure, time);
        _hosts.Add(ControlPlane);
    }

    public async Task KillControlPlaneAsync()
    {
        _hosts.Remove(ControlPlane);
        await ControlPlane.KillAsync();
    }

    public async Task<Workload> StartWorkloadAsync(string app, string version = "v1", Protocol protocol = Protocol.Http, Action<MeshOptions>? configure = null)
    {
        var instance = string.Create(CultureInfo.InvariantCulture, $"{app}-{version}-{Interlocked.Increment(ref _instances)}");
        var workload = await Workload.StartAsync(this, app, version, protocol, instance, configure);
        lock (_hosts)
        {
            _hosts.Add(workload);
        }

        return workload;
    }

    public async Task<Caller> StartCallerAsync(Action<MeshOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        var caller = await Caller.StartAsync(
            Log,
            options =>
            {
                options.Xds.Server = XdsAddress;
                configure?.Invoke(options);
            },
            (collection, _) => services?.Invoke(collection),
            string.Create(CultureInfo.InvariantCulture, $"caller-{Interlocked.Increment(ref _instances)}"));
        _hosts.Add(caller);
        return caller;
    }

    /// <summary>Stops a workload gracefully and lets go of it.</summary>
    public async Task StopAsync(Workload workload)
    {
        await workload.StopAsync();
        lock (_hosts)
        {
            _hosts.Remove(workload);
        }

        await workload.DisposeAsync();
    }

    /// <summary>Waits until so many workloads of an application can be called, and every client knows them.</summary>
    public async Task WhenRegisteredAsync(string app, int count)
    {
        await ControlPlane.WhenRegisteredAsync(workloads => workloads.Count(workload => workload.Labels.GetValueOrDefault("app") == app) == count);
        await ControlPlane.FlushAsync();
    }

    /// <summary>Runs when the lab ends, however it ends.</summary>
    public void OnDispose(Action cleanUp) => _cleanUps.Add(cleanUp);

    public async ValueTask DisposeAsync()
    {
        _cleanUps.ForEach(cleanUp => cleanUp());
        // The control plane last: workloads say good-bye to it.
        foreach (var host in _hosts.OrderBy(host => host is ControlPlaneHost ? 1 : 0).ToArray())
        {
            await host.DisposeAsync();
        }

        Folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
