using System.Collections.Immutable;
using Mesh.ControlPlane.Discovery;
using Mesh.DataPlane;
using Mesh.Xds.Serving;

namespace Mesh.Testing;

/// <summary>Waits until what was changed is in force everywhere.</summary>
internal sealed class Settlement(DiscoveryServer discovery, IAdsServer server, EngineRegistry engines)
{
    private static readonly AdsChange Nothing = new(ImmutableDictionary<string, IReadOnlySet<string>?>.Empty);

    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, TimeProvider.System);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            // 1. The control plane has told every client, and each has answered.
            await discovery.FlushAsync(linked.Token).ConfigureAwait(false);

            // 2. So have those who asked for something only now: a push that changes nothing is settled when nothing else is under way.
            await server.WhenAcknowledgedAsync(server.Push(Nothing), linked.Token).ConfigureAwait(false);

            // 3. No engine waits for clusters before it puts new routes into force, and none of its ports for what a new listener needs.
            foreach (var engine in engines.All)
            {
                await WhenNothingIsHeldBackAsync(engine, linked.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Not every client of the mesh has applied the last change within {timeout}: {string.Join("; ", Unsettled())}.");
        }
    }

    public void ThrowIfRefused()
    {
        var refusals = Refusals().ToList();
        if (refusals.Count > 0)
        {
            throw new InvalidOperationException($"The last change was refused, and what was good before stays in force: {string.Join("; ", refusals)}.");
        }
    }

    private static async Task WhenNothingIsHeldBackAsync(MeshEngine engine, CancellationToken cancellationToken)
    {
        TaskCompletionSource changed;
        void OnChanged() => Volatile.Read(ref changed).TrySetResult();

        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Routes.Changed += OnChanged;
        engine.Connections.Changed += OnChanged;
        var ports = engine.Ports;
        if (ports is not null)
        {
            ports.Changed += OnChanged;
        }

        try
        {
            while (engine.Routes.HeldBack + engine.Connections.HeldBack + (ports?.HeldBack ?? 0) > 0)
            {
                await changed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }
        }
        finally
        {
            engine.Routes.Changed -= OnChanged;
            engine.Connections.Changed -= OnChanged;
            if (ports is not null)
            {
                ports.Changed -= OnChanged;
            }
        }
    }

    private IEnumerable<string> Unsettled()
    {
        foreach (var connection in server.Connections)
        {
            foreach (var type in connection.Types.Where(t => t.SentVersion != t.AckedVersion && t.LastNack is null))
            {
                yield return $"{connection.Node?.Id} has not answered {type.TypeUrl} version {type.SentVersion}";
            }
        }

        var heldBack = engines.All.Sum(e => e.Routes.HeldBack + e.Connections.HeldBack);
        if (heldBack > 0)
        {
            yield return $"{heldBack} new route configurations and listeners wait for clusters that the control plane has not answered for";
        }

        foreach (var port in engines.All.SelectMany(e => e.Ports?.Open ?? []).Where(port => port.IsHeldBack))
        {
            yield return $"the port {port.EndPoint} waits for the secrets, clusters or keys that its new listener needs";
        }
    }

    private IEnumerable<string> Refusals()
        => server.Connections.SelectMany(
            connection => connection.Types.Where(t => t.LastNack is not null),
            (connection, type) => $"{connection.Node?.Id} says of {type.TypeUrl}: {type.LastNack}");
}
