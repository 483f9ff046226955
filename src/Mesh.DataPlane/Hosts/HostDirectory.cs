using System.Collections.Concurrent;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Hosts;

/// <summary>
/// From authority to routes. Known hosts are one look-up; an unknown one is subscribed on demand, waited for within bounds, and forgotten when
/// nobody has used it for a while, so that a process holds what it calls and not the mesh.
/// </summary>
internal sealed class HostDirectory : IDisposable
{
    private const int MaxTurns = 3;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<HostKey, HostEntry> _hosts = new();
    private readonly Dictionary<HostEntry, HostSubscription> _subscriptions = [];
    private readonly IXdsClient _client;
    private readonly RouteRegistry _routes;
    private readonly TcpTables _connections;
    private readonly HttpFilters _filters;
    private readonly ResourceNotes _notes;
    private readonly MeshOptions _options;
    private readonly MeshDomains _domains;
    private readonly AnswerWait _wait;
    private readonly TimeProvider _time;
    private readonly Lock _sync;
    private readonly ITimer _sweep;
    private int _now;
    private bool _disposed;

    public HostDirectory(IXdsClient client, RouteRegistry routes, TcpTables connections, HttpFilters filters, ResourceNotes notes, MeshOptions options, TimeProvider time, Lock sync)
    {
        (_client, _routes, _connections, _filters, _notes, _options, _time, _sync) = (client, routes, connections, filters, notes, options, time, sync);
        _domains = new MeshDomains(options.ClusterDomain);
        _wait = new AnswerWait(client, options, time);
        _sweep = time.CreateTimer(static directory => ((HostDirectory)directory!).Sweep(), this, SweepInterval, SweepInterval);
    }

    public IEnumerable<HostEntry> All => _hosts.Values;

    /// <summary>The entry of a host that has an answer; the hot path.</summary>
    public HostEntry? Find(string host, int port) => Find(new HostKey(host, port));

    /// <inheritdoc cref="Find(string, int)"/>
    public HostEntry? Find(HostKey key)
    {
        if (!_hosts.TryGetValue(key, out var entry) || entry.State.Status == HostStatus.Pending)
        {
            return null;
        }

        Touch(entry);
        return entry;
    }

    /// <summary>The entry of a host that has been asked for, as it is: looking does not count as use.</summary>
    public HostEntry? Peek(HostKey key) => _hosts.GetValueOrDefault(key);

    /// <summary>Subscribes a host if need be and waits, within bounds, for the control plane to answer.</summary>
    /// <returns>The entry; still pending when the wait was in vain. <see langword="null"/> when it is this machine.</returns>
    public ValueTask<HostEntry?> ResolveAsync(string host, int port, CancellationToken cancellationToken)
        => MeshDomains.IsThisMachine(host) ? ValueTask.FromResult<HostEntry?>(null) : ResolveAsync(new HostKey(host, port), cancellationToken);

    /// <inheritdoc cref="ResolveAsync(string, int, CancellationToken)"/>
    public async ValueTask<HostEntry?> ResolveAsync(HostKey key, CancellationToken cancellationToken)
    {
        for (var turn = 1; ; turn++)
        {
            var entry = GetOrSubscribe(key, preload: false);
            Touch(entry);
            if (entry.State.Status != HostStatus.Pending || (entry.HasTimedOut && !entry.IsMeshName))
            {
                return entry;
            }

            try
            {
                await _wait.ForAsync(entry, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                entry.HasTimedOut = true;
            }

            // Crowded out while waiting: ask again, but do not fight for the place for ever.
            if (entry.State.Status != HostStatus.Pending || !entry.IsEvicted || turn == MaxTurns)
            {
                return entry;
            }
        }
    }

    /// <summary>Subscribes hosts for good; completes when all have been answered.</summary>
    public Task PreloadAsync(IEnumerable<HostKey> hosts, CancellationToken cancellationToken)
        => Task.WhenAll(hosts.Select(h => GetOrSubscribe(h, preload: true).Answered)).WaitAsync(cancellationToken);

    public void Dispose()
    {
        _sweep.Dispose();
        lock (_sync)
        {
            _disposed = true;
            foreach (var entry in _subscriptions.Keys.ToArray())
            {
                Evict(entry);
            }
        }
    }

    private HostEntry GetOrSubscribe(HostKey key, bool preload)
    {
        lock (_sync)
        {
            if (!_hosts.TryGetValue(key, out var entry))
            {
                entry = new HostEntry(key, !MeshDomains.IsThisMachine(key.Host) && _domains.Contains(key.Host)) { LastUsed = Volatile.Read(ref _now) };
                if (_disposed)
                {
                    entry.Publish(new HostState(HostStatus.Unknown, null, null, "", "the mesh of this process has been shut down"));
                    return entry;
                }

                MakeRoom();
                _hosts[key] = entry;
                var subscription = new HostSubscription(entry, _client, _routes, _connections, _filters, _notes, _sync);
                _subscriptions.Add(entry, subscription);
                subscription.Start();
            }

            entry.IsPreloaded |= preload;
            return entry;
        }
    }

    // Of hosts that were last used in the same sweep, those go first that have no routes and no connections to lose.
    private void MakeRoom()
    {
        if (_hosts.Count >= _options.Client.MaxOnDemandHosts
            && _hosts.Values.Where(e => !e.IsPreloaded).MinBy(e => (e.State.Tcp?.HasConnections == true, e.LastUsed, e.State.Status == HostStatus.Meshed)) is { } oldest)
        {
            Evict(oldest);
        }
    }

    // Coarse on purpose: reading a clock for each request would cost more than the look-up.
    private void Touch(HostEntry entry)
    {
        var now = Volatile.Read(ref _now);
        if (entry.LastUsed != now)
        {
            entry.LastUsed = now;
        }
    }

    private void Sweep()
    {
        lock (_sync)
        {
            _now++;
            foreach (var entry in _subscriptions.Keys.ToArray())
            {
                var idle = (_now - entry.LastUsed) * SweepInterval;
                var limit = entry.State.Status == HostStatus.Unknown ? _options.Client.UnknownHostCacheDuration : _options.Client.OnDemandIdleTimeout;
                if (!entry.IsPreloaded && idle > limit)
                {
                    if (entry.State.Tcp?.HasConnections == true)
                    {
                        // What happens to its rules concerns connections that were made long ago.
                        Touch(entry);
                        continue;
                    }

                    Evict(entry);
                }
            }
        }
    }

    private void Evict(HostEntry entry)
    {
        entry.Evict();
        _hosts.TryRemove(entry.Key, out _);
        if (_subscriptions.Remove(entry, out var subscription))
        {
            subscription.Dispose();
        }
    }
}
