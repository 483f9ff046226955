using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane;
using Mesh.DataPlane.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server;

/// <summary>
/// Tells the control plane where this workload listens, once it does, and takes it out again before the server stops: unhealthy first, then wait
/// until every client has acknowledged it, then serve what is still under way, and only then let the server go.
/// </summary>
internal sealed partial class WorkloadRegistration(
    MeshEngine engine,
    InboundRequests requests,
    IServiceProvider services,
    IOptions<MeshOptions> options,
    TimeProvider time,
    ILogger<WorkloadRegistration> logger) : IHostedLifecycleService
{
    /// <summary>The key of the node metadata that carries the addresses by service port name.</summary>
    private const string AddressesKey = "MESH_ADDRESSES";

    /// <summary>The label by which Istio knows the workloads that take mutual TLS.</summary>
    private const string TlsModeLabel = "security.istio.io/tlsMode";

    // A request that was decided before its client acknowledged may still be on its way; so long after the last arrival none is.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(100);

    private bool _registered;
    private int _draining;

    /// <summary>Whether it has been taken out of the mesh while the server goes on.</summary>
    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value;
        if (!settings.Server.Register || services.GetService<IServer>() is not { } server)
        {
            return Task.CompletedTask;
        }

        var addresses = new Dictionary<string, string>(
            ListeningAddresses.ByPortName(server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [], AnyAddress(settings)),
            StringComparer.Ordinal);
        foreach (var (name, address) in settings.Workload.Addresses)
        {
            addresses[name] = address;
        }

        if (addresses.Count == 0)
        {
            Log.NothingToRegister(logger);
            return Task.CompletedTask;
        }

        var value = new Struct();
        foreach (var (name, address) in addresses)
        {
            value.Fields.Add(name, Value.ForString(address));
        }

        var takesMutualTls = settings.Server.Inbound && engine.Identity is not null;
        engine.Client.UpdateNode(node =>
        {
            var metadata = node.Metadata ??= new Struct();
            metadata.Fields[AddressesKey] = Value.ForStruct(value);
            if (takesMutualTls)
            {
                LabelsOf(metadata).Fields[TlsModeLabel] = Value.ForString("istio");
            }
        });
        engine.Client.ReportHealth(healthy: true);
        _registered = true;
        Log.Registering(logger, settings.Workload.EffectiveLabels().GetValueOrDefault("app") ?? "a workload without the label app (set Mesh:Workload:Name)", string.Join(", ", addresses.Select(a => $"{a.Key} {a.Value}")), engine.Client.Status.Server);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (!_registered)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(options.Value.Server.DrainTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        await WithdrawAsync("shutting down", "the server stops all the same", linked.Token).ConfigureAwait(false);
        await WhenQuietAsync(linked.Token).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes the workload out of the mesh while the server goes on: its clients are told first, then each connection is asked to end after the response
    /// that it is carrying. Nothing takes it back but a restart, as with Envoy's listeners.
    /// </summary>
    public void Drain()
    {
        if (Interlocked.Exchange(ref _draining, 1) == 0)
        {
            _ = DrainAsync();
        }
    }

    private async Task DrainAsync()
    {
        Log.Draining(logger);
        using var deadline = new CancellationTokenSource(options.Value.Server.DrainTimeout, time);
        if (_registered)
        {
            await WithdrawAsync("draining", "its connections are ended all the same", deadline.Token).ConfigureAwait(false);
        }
        else
        {
            requests.Drain();
        }
    }

    private async Task WithdrawAsync(string reason, string otherwise, CancellationToken cancellationToken)
    {
        engine.Client.ReportHealth(healthy: false, reason);
        try
        {
            await engine.Client.WhenDrainedAsync(cancellationToken).ConfigureAwait(false);
            Log.Drained(logger);
        }
        catch (OperationCanceledException)
        {
            Log.DrainTimedOut(logger, options.Value.Server.DrainTimeout, otherwise);
        }

        requests.Drain();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WhenQuietAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var left = Quiet - requests.SinceLastArrival; left > TimeSpan.Zero; left = Quiet - requests.SinceLastArrival)
            {
                await Task.Delay(left, time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The deadline of the drain is the deadline of this wait.
        }
    }

    private static Struct LabelsOf(Struct metadata)
    {
        if (!metadata.Fields.TryGetValue("LABELS", out var labels) || labels.StructValue is null)
        {
            metadata.Fields["LABELS"] = labels = Value.ForStruct(new Struct());
        }

        return labels.StructValue;
    }

    // A control plane on this machine means a mesh on this machine.
    private static IPAddress AnyAddress(MeshOptions settings)
        => Uri.TryCreate(settings.Xds.Server, UriKind.Absolute, out var uri) && !uri.IsLoopback ? ListeningAddresses.OfThisMachine() : IPAddress.Loopback;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Registering as {App} at {Addresses} with the control plane {Server}, now or as soon as it answers. The registration is not authenticated: control planes take it from this machine only.")]
        public static partial void Registering(ILogger logger, string app, string addresses, string server);

        [LoggerMessage(2, LogLevel.Warning, "This workload is not registered: the server listens on no plain HTTP address. Add one, or name the addresses in Mesh:Workload:Addresses.")]
        public static partial void NothingToRegister(ILogger logger);

        [LoggerMessage(3, LogLevel.Information, "Every client has stopped using this workload.")]
        public static partial void Drained(ILogger logger);

        [LoggerMessage(4, LogLevel.Warning, "The control plane has not confirmed within {Timeout} that every client has stopped using this workload; {Otherwise}.")]
        public static partial void DrainTimedOut(ILogger logger, TimeSpan timeout, string otherwise);

        [LoggerMessage(5, LogLevel.Information, "This workload is taken out of the mesh, as its admin was asked to; the server goes on.")]
        public static partial void Draining(ILogger logger);
    }
}
