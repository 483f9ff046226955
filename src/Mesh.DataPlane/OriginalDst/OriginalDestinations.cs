using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.OriginalDst;

/// <summary>
/// The hosts of an ORIGINAL_DST cluster: the addresses that callers ask for. In a process nothing is redirected, so that the destination is what
/// the request's URI names. A host comes with the first request for it and goes when a cleanup finds that nobody has asked since and no
/// connection is open; no more than <see cref="MaxHosts"/> at a time. Looking one up takes no lock.
/// </summary>
/// <param name="cluster">The name of the cluster.</param>
/// <param name="dns">Resolves destinations that are names.</param>
/// <param name="sync">The lock of the configuration.</param>
/// <param name="changed">Called with the lock held when there are other hosts: to call <see cref="Publish"/> with what they come to.</param>
internal sealed class OriginalDestinations(string cluster, DnsDiscovery dns, Lock sync, Action changed) : IDisposable
{
    /// <summary>Hosts of one cluster at a time: requests decide the addresses. Envoy's dynamic forward proxy has the same number.</summary>
    public const int MaxHosts = 1024;

    private readonly ConcurrentDictionary<HostKey, OriginalDestination> _known = new();
    private OriginalDestinationSettings? _settings;
    private TimeSpan _resolveTimeout;
    private ITimer? _cleanup;
    private bool _isDisposed;

    /// <summary>The cluster has been let go, or has become one of another type.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed);

    public OriginalDestinationSettings Settings => Volatile.Read(ref _settings)!;

    /// <summary>The hosts whose address is known; with the lock held.</summary>
    public EndpointsResource Located
        => EndpointsResource.Empty(cluster) with
        {
            Localities = [new LocalityResource("", 0, 0, [.. _known.Values.Select(d => d.Resource).OfType<EndpointResource>()])],
        };

    /// <summary>Takes over the settings of the cluster; with the lock held.</summary>
    public void Use(OriginalDestinationSettings settings, TimeSpan resolveTimeout)
    {
        var isOtherInterval = _settings is { } before && before.CleanupInterval != settings.CleanupInterval;
        Volatile.Write(ref _settings, settings);
        _resolveTimeout = resolveTimeout;
        if (isOtherInterval)
        {
            ScheduleCleanup();
        }
    }

    /// <summary>A host that has been located, or of which it is known that it cannot be: the hot path.</summary>
    public OriginalDestination? Find(HostKey key)
    {
        if (!_known.TryGetValue(key, out var destination) || !destination.Answered.IsCompleted)
        {
            return null;
        }

        destination.Touch();
        return destination;
    }

    /// <summary>Adds a host if need be, and waits for its name to be resolved as long as a connection may take.</summary>
    /// <returns>The host, be it without an endpoint; <see langword="null"/> when there are too many.</returns>
    public async ValueTask<OriginalDestination?> LocateAsync(HostKey key, CancellationToken cancellationToken)
    {
        OriginalDestination? destination;
        lock (sync)
        {
            destination = GetOrAdd(key);
        }

        if (destination is { Answered.IsCompleted: false })
        {
            try
            {
                await destination.Answered.WaitAsync(_resolveTimeout, dns.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // It tells so itself; later requests wait again.
            }
        }

        return destination;
    }

    /// <summary>Brings back a host that was cleaned up while a request had it in hand.</summary>
    public Endpoint? Restore(OriginalDestination destination)
    {
        if (destination.Resource is null || IsDisposed)
        {
            return null;
        }

        lock (sync)
        {
            return GetOrAdd(destination.Key, destination)?.Endpoint;
        }
    }

    /// <summary>Hands out the endpoints of a new set; with the lock held.</summary>
    public void Publish(EndpointSet endpoints)
    {
        var byAddress = endpoints.Endpoints.ToDictionary(e => e.Resource.Address);
        foreach (var destination in _known.Values)
        {
            destination.Endpoint = destination.Resource is { } resource ? byAddress.GetValueOrDefault(resource.Address) : null;
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _isDisposed, true);
        _cleanup?.Dispose();
        foreach (var destination in _known.Values)
        {
            destination.Names?.Dispose();
            destination.Answer("its cluster has been let go");
        }
    }

    private OriginalDestination? GetOrAdd(HostKey key, OriginalDestination? former = null)
    {
        if (_known.TryGetValue(key, out var known))
        {
            known.Touch();
            return known;
        }

        if (_isDisposed || (_known.Count >= MaxHosts && !MakeRoom()))
        {
            return null;
        }

        var destination = former ?? new OriginalDestination(this, key);
        destination.Touch();
        _known[key] = destination;
        if (_known.Count == 1)
        {
            ScheduleCleanup();
        }

        if (destination.Address is { } address)
        {
            destination.Resource = EndpointOf(new IPEndPoint(address, key.Port), "");
            changed();
            destination.Answer(null);
        }
        else
        {
            FollowName(destination);
        }

        return destination;
    }

    private void FollowName(OriginalDestination destination)
    {
        var (name, port) = (destination.Key.Host, destination.Key.Port);
        var template = EndpointsResource.Empty(cluster) with
        {
            Localities = [new LocalityResource("", 0, 0, [EndpointOf(new DnsEndPoint(name, port), name)])],
        };
        var previous = destination.Names;
        destination.Names = dns.Create(cluster, Settings.Names, template, sync, names => OnResolved(destination, names));
        destination.Names.Start(previous, isServing: false);
    }

    private void OnResolved(OriginalDestination destination, DnsEndpoints names)
    {
        var located = names.Latest!.Localities[0].Endpoints is [var endpoint, ..] ? endpoint : null;
        if (!ReferenceEquals(located?.Address, destination.Resource?.Address) || (located is not null && destination.Endpoint is null))
        {
            destination.Resource = located;
            changed();
        }

        destination.Answer(names.Error);
    }

    private static EndpointResource EndpointOf(EndPoint address, string name)
        => new(address, name, 1, EndpointHealth.Healthy, FrozenDictionary<string, string>.Empty);

    // Nobody loses a request or a connection by it; the one that nobody has asked for lately goes first.
    private bool MakeRoom()
    {
        if (_known.Values.Where(d => d.Answered.IsCompleted && !d.IsBusy).MinBy(d => d.IsInUse) is not { } victim)
        {
            return false;
        }

        var isChanged = victim.Endpoint is not null;
        Remove(victim);
        if (isChanged)
        {
            changed();
        }

        return true;
    }

    private void Cleanup()
    {
        lock (sync)
        {
            if (_isDisposed)
            {
                return;
            }

            var isChanged = false;
            foreach (var destination in _known.Values)
            {
                if (destination.IsInUse)
                {
                    destination.Rest();
                }
                else
                {
                    isChanged |= destination.Endpoint is not null;
                    Remove(destination);
                }
            }

            if (isChanged)
            {
                changed();
            }

            ScheduleCleanup();
        }
    }

    private void Remove(OriginalDestination destination)
    {
        _known.TryRemove(destination.Key, out _);
        destination.Names?.Dispose();
        destination.Endpoint = null;
    }

    // Without hosts there is nothing to clean up, and no timer.
    private void ScheduleCleanup()
    {
        if (_known.IsEmpty)
        {
            _cleanup?.Dispose();
            _cleanup = null;
        }
        else if (_cleanup is null)
        {
            _cleanup = dns.Time.CreateTimer(static s => ((OriginalDestinations)s!).Cleanup(), this, Settings.CleanupInterval, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _cleanup.Change(Settings.CleanupInterval, Timeout.InfiniteTimeSpan);
        }
    }
}
