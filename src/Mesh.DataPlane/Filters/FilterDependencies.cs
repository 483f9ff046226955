using Mesh.DataPlane.Calls;

namespace Mesh.DataPlane.Filters;

/// <summary>
/// What the filters of one listener need before they can run: the clusters that they call, and what they fetch ahead. Make before break: newer
/// filters wait for theirs while the older ones keep what they have. Every listener, of whatever door, holds one. It has no lock of its own: the
/// configuration's is taken in each call.
/// </summary>
/// <param name="services">Whose calls they are.</param>
/// <param name="ready">
/// Called, with the lock of the configuration held, when filters that had to wait are ready; not when <see cref="AreReady"/> is so at once.
/// </param>
internal sealed class FilterDependencies(FilterServices services, Action ready) : IDisposable
{
    private Need? _inForce;
    private Need? _next;

    /// <summary>Whether the filters that were given last can be put into force.</summary>
    public bool AreReady
    {
        get
        {
            lock (services.Calls.Sync)
            {
                return _next?.IsReady ?? true;
            }
        }
    }

    /// <summary>Gets what these filters need; what is in force stays.</summary>
    /// <param name="filters">The filters.</param>
    /// <param name="clusters">Clusters that they call because of what routes say, where those have no table that would wait for them.</param>
    public void Use(IEnumerable<ListenerFilter> filters, IEnumerable<string>? clusters = null)
    {
        lock (services.Calls.Sync)
        {
            var superseded = _next;
            _next = new Need(this, filters, clusters ?? []);
            superseded?.Dispose();
        }
    }

    /// <summary>The filters that were given last are in force: what only older ones needed is let go.</summary>
    public void Settle()
    {
        lock (services.Calls.Sync)
        {
            if (_next is not null)
            {
                _inForce?.Dispose();
                (_inForce, _next) = (_next, null);
            }
        }
    }

    public void Dispose()
    {
        lock (services.Calls.Sync)
        {
            _next?.Dispose();
            _inForce?.Dispose();
            (_next, _inForce) = (null, null);
        }
    }

    private void Tell(Need need)
    {
        lock (services.Calls.Sync)
        {
            if (need == _next && need.IsReady)
            {
                ready();
            }
        }
    }

    private sealed class Need : IDisposable
    {
        private readonly ClusterHold? _clusters;
        private readonly List<IFilterPreparation> _preparations = [];
        private readonly bool _isComplete;

        public Need(FilterDependencies owner, IEnumerable<ListenerFilter> filters, IEnumerable<string> clusters)
        {
            var names = clusters.ToList();
            foreach (var filter in filters)
            {
                names.AddRange(filter.Type.ClustersOf(filter.Config));
                if (filter.Type.Prepare(filter.Config, owner.Services, () => owner.Tell(this)) is { } preparation)
                {
                    _preparations.Add(preparation);
                }
            }

            _clusters = names.Count > 0 ? owner.Services.Calls.Hold(names, () => owner.Tell(this)) : null;
            _isComplete = true;
        }

        public bool IsReady => _isComplete && _clusters?.IsAnswered != false && _preparations.TrueForAll(p => p.IsReady);

        public void Dispose()
        {
            _clusters?.Dispose();
            foreach (var preparation in _preparations)
            {
                preparation.Dispose();
            }
        }
    }

    private FilterServices Services => services;
}
