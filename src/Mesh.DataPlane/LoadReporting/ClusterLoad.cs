using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>What the endpoints of one cluster were asked, and what never reached any.</summary>
internal sealed class ClusterLoad(string name, long created = 0)
{
    /// <summary>Requests that found all permits taken (Envoy's circuit breakers).</summary>
    public const string CircuitBreakers = "circuit_breakers";

    // Names of policies may stand in the details of replies.
    private const int MaxCategories = 32;
    private const string OtherCategory = "other";

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Locality, uint Priority, string Address), EndpointLoad> _endpoints = [];
    private readonly ConcurrentDictionary<string, StrongBox<long>> _dropped = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StrongBox<long>> _replied = new(StringComparer.Ordinal);
    private LoadReportingPolicy _policy = LoadReportingPolicy.None;
    private OrcaMetricNames? _metrics;

    public string Name { get; } = name;

    /// <summary>A timestamp of when it came to be.</summary>
    public long Created { get; } = created;

    /// <summary>The name of its endpoints' resource, where that is another.</summary>
    public string? ServiceName { get; private set; }

    /// <summary>The control plane that sent it takes load reports for it.</summary>
    public bool IsWanted => Volatile.Read(ref _policy).IsWanted;

    /// <summary>Nobody uses the cluster any more: once its last numbers are told, it is forgotten.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Requests that no endpoint was asked.</summary>
    public EndpointLoad Unsent { get; } = new("", 0, null);

    /// <summary>Requests that were not sent for want of capacity, by category; counted since it is there.</summary>
    public IEnumerable<KeyValuePair<string, StrongBox<long>>> Dropped => _dropped;

    /// <summary>Requests that the mesh has answered in the cluster's stead, by <c>%RESPONSE_CODE_DETAILS%</c>.</summary>
    public IEnumerable<KeyValuePair<string, StrongBox<long>>> Replied => _replied;

    /// <summary>What the control plane says of it; on the configuration path.</summary>
    public void Use(string? serviceName, LoadReportingPolicy policy)
    {
        lock (_gate)
        {
            ServiceName = serviceName;
            if (!policy.Metrics.SequenceEqual(_policy.Metrics))
            {
                _metrics = policy.Metrics.Count > 0 ? new OrcaMetricNames(policy.Metrics) : null;
            }

            Volatile.Write(ref _policy, policy);
        }
    }

    /// <summary>The numbers of an endpoint, which survive every update; on the configuration path.</summary>
    public EndpointLoad Of(LocalityResource place, EndpointResource endpoint)
    {
        lock (_gate)
        {
            var key = (place.Locality, place.Priority, endpoint.AddressText);
            if (!_endpoints.TryGetValue(key, out var load) || !ReferenceEquals(load.Orca?.Names, _metrics))
            {
                load = EndpointLoad.Of(place, endpoint, _metrics is null ? null : new OrcaLoad(_metrics));
                _endpoints[key] = load;
            }

            load.IsRetired = false;
            return load;
        }
    }

    /// <summary>The numbers of an endpoint, when a connection to it is wanted; <see langword="null"/> when it is none of the cluster's.</summary>
    public EndpointLoad? Find(EndpointResource endpoint)
    {
        lock (_gate)
        {
            return _endpoints.FirstOrDefault(e => !e.Value.IsRetired && e.Key.Address == endpoint.AddressText).Value;
        }
    }

    /// <summary>These are the endpoints now: the others go, at once or when their last numbers have been told.</summary>
    public void Keep(EndpointSet set, bool isReported)
    {
        lock (_gate)
        {
            var kept = set.Endpoints.Select(e => e.Load).ToHashSet();
            foreach (var (key, load) in _endpoints)
            {
                load.IsRetired = !kept.Contains(load);
                if (load.IsRetired && !isReported)
                {
                    _endpoints.Remove(key);
                }
            }
        }
    }

    /// <summary>All endpoints, those that have gone included while there is something left to tell of them.</summary>
    public IReadOnlyList<EndpointLoad> Endpoints()
    {
        lock (_gate)
        {
            return [.. _endpoints.Values, Unsent];
        }
    }

    /// <summary>Forgets endpoints that have gone, when their numbers are told.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var (key, load) in _endpoints)
            {
                if (load.IsRetired && !load.IsBusy)
                {
                    _endpoints.Remove(key);
                }
            }
        }
    }

    /// <summary>A request was not sent for want of capacity.</summary>
    public void Drop(string category) => Count(_dropped, category);

    /// <summary>A request was answered by the mesh before an endpoint was chosen.</summary>
    public void Reply(string details) => Count(_replied, details);

    private static void Count(ConcurrentDictionary<string, StrongBox<long>> counts, string category)
    {
        if (!counts.TryGetValue(category, out var count))
        {
            count = counts.GetOrAdd(counts.Count < MaxCategories ? category : OtherCategory, static _ => new StrongBox<long>());
        }

        Interlocked.Increment(ref count.Value);
    }
}
