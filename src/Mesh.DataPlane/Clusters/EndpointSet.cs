using System.Collections.Frozen;
using System.Net;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>One version of a cluster's endpoints with everything about priorities, localities and panic already worked out: a pick only draws.</summary>
/// <param name="endpoints">All endpoints, unhealthy ones included.</param>
/// <param name="levels">The priority levels, highest first.</param>
/// <param name="loads">The levels' shares in percent: by healthy hosts, then by degraded ones.</param>
/// <param name="byHash">The policy is consistent hashing: the hash decides the priority, too.</param>
/// <param name="overridable">The statuses with which a host may be picked by its address.</param>
internal sealed class EndpointSet(IReadOnlyList<Endpoint> endpoints, PriorityLevel[] levels, uint[] loads, bool byHash = false, HostStatuses overridable = HostStatuses.Default)
{
    private readonly (uint UpperBound, LocalityChoice? Choice)[] _shares = Accumulate(levels, loads);
    private FrozenDictionary<string, Endpoint>? _byAddress;

    public static EndpointSet Empty { get; } = new([], [], []);

    /// <summary>The share of requests that the control plane has dropped, of 1.</summary>
    public double DropShare { get; init; }

    /// <summary>For what it has dropped them: each category with the share, of 1, up to which it and those before it drop.</summary>
    public IReadOnlyList<(string Category, double UpTo)> DropCategories { get; init; } = [];

    /// <summary>All endpoints, unhealthy ones included.</summary>
    public IReadOnlyList<Endpoint> Endpoints { get; } = endpoints;

    /// <summary>The shares, in percent, that the priorities' groups have of the requests; for explanations.</summary>
    public IEnumerable<(uint Percent, LocalityChoice Choice)> Shares
        => _shares.Select((s, i) => (s.UpperBound - (i == 0 ? 0 : _shares[i - 1].UpperBound), s.Choice!)).Where(s => s.Item2 is not null);

    /// <summary>Whether the request of that draw is one that the control plane has dropped.</summary>
    public bool Drops(ulong draw) => DropShare > 0 && Draw.Next(~draw) < DropShare * ulong.MaxValue;

    /// <summary>The category for which the request of that draw is dropped.</summary>
    public string DropCategory(ulong draw)
    {
        foreach (var (category, upTo) in DropCategories)
        {
            if (Draw.Next(~draw) < upTo * ulong.MaxValue)
            {
                return category;
            }
        }

        return DropCategories is [.., var last] ? last.Category : "";
    }

    /// <summary>Picks an endpoint, or <see langword="null"/> when no host may be used.</summary>
    public Endpoint? Pick(in PickContext context)
    {
        if (context.OverrideHost is { } address)
        {
            if (Find(address) is { } named)
            {
                return named;
            }

            if (context.OverrideHostIsStrict)
            {
                return null;
            }
        }

        if (context.ExcludedPriorities != 0 && levels.Length > 1 && Elsewhere(context, out var elsewhere))
        {
            return elsewhere?.Pick(context.Next());
        }

        if (_shares.Length == 1)
        {
            return _shares[0].Choice?.Pick(context);
        }

        if (_shares.Length == 0)
        {
            return null;
        }

        var point = Point(context);
        var i = 0;
        while (point >= _shares[i].UpperBound)
        {
            i++;
        }

        return _shares[i].Choice?.Pick(context.Next());
    }

    /// <summary>Weighs anew what depends on time or load reports.</summary>
    /// <param name="now">A timestamp of the cluster's clock.</param>
    /// <returns>When to ask again; <see langword="null"/> when nothing depends on time any more.</returns>
    public TimeSpan? Reweigh(long now)
    {
        TimeSpan? next = null;
        foreach (var level in levels)
        {
            Reweigh(level.Healthy);
            if (!ReferenceEquals(level.Degraded, level.Healthy))
            {
                Reweigh(level.Degraded);
            }
        }

        return next;

        void Reweigh(LocalityChoice? choice)
        {
            foreach (var group in choice?.Groups ?? [])
            {
                if (group.Picker.Reweigh(now) is { } wait && (next is null || wait < next))
                {
                    next = wait;
                }
            }
        }
    }

    // Only sessions ask for hosts by address: clusters without them carry no index.
    private Endpoint? Find(string address)
    {
        var index = Volatile.Read(ref _byAddress);
        if (index is null)
        {
            index = Endpoints.DistinctBy(e => e.Resource.AddressText, StringComparer.Ordinal).ToFrozenDictionary(e => e.Resource.AddressText, StringComparer.Ordinal);
            Volatile.Write(ref _byAddress, index);
        }

        if (!index.TryGetValue(address, out var host)
            && !(IPEndPoint.TryParse(address, out var parsed) && index.TryGetValue(parsed.ToString(), out host)))
        {
            return null;
        }

        return (overridable & host.Status) != 0 ? host : null;
    }

    // Envoy's previous_priorities: levels that were tried count as having no hosts; when that leaves nobody, they count again.
    private bool Elsewhere(in PickContext context, out LocalityChoice? choice)
    {
        choice = null;
        var count = levels.Length;
        var buffer = count <= 64 ? stackalloc uint[4 * count] : new uint[4 * count];
        var healthy = buffer[..count];
        var degraded = buffer[count..(2 * count)];
        var shifted = buffer[(2 * count)..];
        for (var i = 0; i < count; i++)
        {
            var excluded = levels[i].IsIn(context.ExcludedPriorities);
            healthy[i] = excluded ? 0 : levels[i].HealthyAvailability;
            degraded[i] = excluded ? 0 : levels[i].DegradedAvailability;
        }

        if (!PriorityLoads.Distribute(healthy, degraded, shifted))
        {
            return false;
        }

        var point = Point(context);
        var sum = 0u;
        for (var i = 0; i < shifted.Length; i++)
        {
            if (point < (sum += shifted[i]))
            {
                choice = i < count ? levels[i].Healthy : levels[i - count].Degraded;
                break;
            }
        }

        return true;
    }

    private uint Point(in PickContext context) => byHash && context.HasHash ? (uint)(context.Hash % 100) : (uint)Math.BigMul(context.Draw, 100, out _);

    private static (uint UpperBound, LocalityChoice? Choice)[] Accumulate(PriorityLevel[] levels, uint[] loads)
    {
        var shares = new List<(uint, LocalityChoice?)>();
        var sum = 0u;
        for (var i = 0; i < loads.Length; i++)
        {
            if (loads[i] > 0)
            {
                shares.Add((sum += loads[i], i < levels.Length ? levels[i].Healthy : levels[i - levels.Length].Degraded));
            }
        }

        return [.. shares];
    }
}
