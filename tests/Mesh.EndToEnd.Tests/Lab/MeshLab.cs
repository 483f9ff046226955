using System.Globalization;
using System.Net;
using Mesh.ControlPlane;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A mesh in one process: control plane, workloads and callers, each a host of its own, on real sockets.</summary>
internal sealed class MeshLab : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _hosts = [];
    // An address of this lab alone: a port that is free for a while, as while the control plane is away, would be given to somebody else.
    private readonly IPEndPoint _xds = new(OwnAddress(), 15010);
    private readonly List<Action> _cleanUps = [];
    private static int _labs;
    private int _instances;

    public TestLog Log { get; } = new();

    public MeshFolder Folder { get; } = new();

    public string XdsAddress => $"http://{_xds}";

    /// <summary>Where the control plane listens.</summary>
    public IPEndPoint Xds => _xds;

    public ControlPlaneHost ControlPlane { get; private set; } = null!;

    /// <summary>Starts the control plane, at the same address each time.</summary>
    public async Task StartControlPlaneAsync(Action<MeshControlPlaneOptions>? configure = null, TimeProvider? time = null)
    {
        ControlPlane = await ControlPlaneHost.StartAsync(Log, Folder.Path, _xds, configure, time);
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

    // Nobody else in this process has it, nor anybody in another with the next few thousand numbers.
    private static IPAddress OwnAddress()
    {
        var process = Environment.ProcessId;
        return new IPAddress([127, (byte)(128 | ((process >> 8) & 0x7f)), (byte)process, (byte)(1 + (Interlocked.Increment(ref _labs) % 254))]);
    }
}
