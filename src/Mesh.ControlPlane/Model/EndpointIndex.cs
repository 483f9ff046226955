using System.Collections.Immutable;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// Which workload serves which service, kept up to date by what changes: one workload touches the services that select one of its
/// labels and no other. Used by one thread at a time; what it publishes is immutable.
/// </summary>
internal sealed class EndpointIndex
{
    private readonly Dictionary<string, WorkloadInstance> _workloads = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Membership> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _workloadEntries = new(StringComparer.Ordinal);
    private Dictionary<(string Namespace, string Key, string Value), List<Membership>> _selectors = [];

    public ImmutableDictionary<string, ServiceEndpoints> Endpoints { get; private set; } = ImmutableDictionary<string, ServiceEndpoints>.Empty;

    /// <summary>Takes over a new set of documents.</summary>
    /// <param name="config">The documents.</param>
    /// <param name="changed">Receives the keys of the services whose endpoints are no longer the same.</param>
    public void Apply(ConfigIndex config, HashSet<string> changed)
    {
        var dirty = new HashSet<Membership>();
        ReplaceServices(config, dirty, changed);
        ReplaceWorkloadEntries(config.WorkloadEntries, dirty);
        Publish(dirty, changed);
    }

    /// <summary>A workload came, went or is another one now.</summary>
    public void Apply(string id, WorkloadInstance? workload, HashSet<string> changed)
    {
        var dirty = new HashSet<Membership>();
        Replace(id, workload, dirty);
        Publish(dirty, changed);
    }

    private void ReplaceServices(ConfigIndex config, HashSet<Membership> dirty, HashSet<string> changed)
    {
        var fresh = new HashSet<Membership>();
        var alive = new HashSet<string>(StringComparer.Ordinal);
        _selectors = [];
        foreach (var service in config.Services)
        {
            alive.Add(service.Key);
            if (!_members.TryGetValue(service.Key, out var members) || !ReferenceEquals(members.Service, service))
            {
                _members[service.Key] = members = new Membership(service);
                fresh.Add(members);
                dirty.Add(members);
                foreach (var endpoint in service.StaticEndpoints)
                {
                    members.Instances[endpoint.Id] = endpoint;
                }
            }

            if (service.Selector is { Count: > 0 } selector)
            {
                var (key, value) = selector.MinBy(entry => entry.Key, StringComparer.Ordinal);
                if (!_selectors.TryGetValue((service.Namespace, key, value), out var selecting))
                {
                    _selectors[(service.Namespace, key, value)] = selecting = [];
                }

                selecting.Add(members);
            }
        }

        foreach (var gone in _members.Keys.Where(key => !alive.Contains(key)).ToArray())
        {
            _members.Remove(gone);
            Endpoints = Endpoints.Remove(gone);
            changed.Add(gone);
        }

        if (fresh.Count > 0)
        {
            foreach (var workload in _workloads.Values)
            {
                foreach (var members in Selecting(workload))
                {
                    if (fresh.Contains(members))
                    {
                        members.Instances[workload.Id] = workload;
                    }
                }
            }
        }
    }

    private void ReplaceWorkloadEntries(IReadOnlyList<WorkloadInstance> entries, HashSet<Membership> dirty)
    {
        var current = new HashSet<string>(entries.Select(entry => entry.Id), StringComparer.Ordinal);
        foreach (var gone in _workloadEntries.Where(id => !current.Contains(id)).ToArray())
        {
            _workloadEntries.Remove(gone);
            Replace(gone, null, dirty);
        }

        foreach (var entry in entries)
        {
            _workloadEntries.Add(entry.Id);
            if (!_workloads.TryGetValue(entry.Id, out var before) || !ReferenceEquals(before, entry))
            {
                Replace(entry.Id, entry, dirty);
            }
        }
    }

    private void Replace(string id, WorkloadInstance? workload, HashSet<Membership> dirty)
    {
        if (_workloads.Remove(id, out var before))
        {
            foreach (var members in Selecting(before))
            {
                if (members.Instances.Remove(id))
                {
                    dirty.Add(members);
                }
            }
        }

        if (workload is not null)
        {
            _workloads[id] = workload;
            foreach (var members in Selecting(workload))
            {
                members.Instances[id] = workload;
                dirty.Add(members);
            }
        }
    }

    private IEnumerable<Membership> Selecting(WorkloadInstance workload)
    {
        foreach (var (key, value) in workload.Labels)
        {
            if (_selectors.TryGetValue((workload.Namespace, key, value), out var selecting))
            {
                foreach (var members in selecting)
                {
                    if (workload.Matches(members.Service.Selector!))
                    {
                        yield return members;
                    }
                }
            }
        }
    }

    private void Publish(HashSet<Membership> dirty, HashSet<string> changed)
    {
        if (dirty.Count == 0)
        {
            return;
        }

        var endpoints = Endpoints.ToBuilder();
        foreach (var members in dirty)
        {
            endpoints[members.Service.Key] = new ServiceEndpoints([.. members.Instances.Values], endpoints.GetValueOrDefault(members.Service.Key));
            changed.Add(members.Service.Key);
        }

        Endpoints = endpoints.ToImmutable();
    }

    private sealed class Membership(MeshService service)
    {
        public MeshService Service { get; } = service;

        public SortedDictionary<string, WorkloadInstance> Instances { get; } = new(StringComparer.Ordinal);
    }
}
