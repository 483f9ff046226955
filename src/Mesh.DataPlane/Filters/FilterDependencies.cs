using Mesh.DataPlane.Calls;

namespace Mesh.DataPlane.Filters;

/// <summary>
/// What the filters of one listener need before they can run: the clusters that they call, and what they fetch ahead. Make before break: newer
/// filters wait for theirs while the older ones keep what they have. Every listener, of whatever door, holds one; with the lock of the configuration
/// held.
/// </summary>
/// <param name="services">Whose calls they are.</param>
/// <param name="sync">The lock of the configuration.</param>
/// <param name="ready">Called when filters that had to wait are ready; not when <see cref="AreReady"/> is so at once.</param>
internal sealed class FilterDependencies(FilterServices services, Lock sync, Action ready) : IDisposable
{
    private Need? _inForce;
    private Need? _next;

    /// <summary>Whether the filters that were given last can be put into force.</summary>
    public bool AreReady => _next?.IsReady ?? true;

    /// <summary>Gets what these filters need; what is in force stays.</summary>
    public void Use(IEnumerable<ListenerFilter> filters)
    {
        var superseded = _next;
        _next = new Need(this, filters);
        superseded?.Dispose();
    }

    /// <summary>The filters that were given last are in force: what only older ones needed is let go.</summary>
    public void Settle()
    {
        if (_next is not null)
        {
            _inForce?.Dispose();
            (_inForce, _next) = (_next, null);
        }
    }

    public void Dispose()
    {
        _next?.Dispose();
        _inForce?.Dispose();
        (_next, _inForce) = (null, null);
    }

    private void OnChanged(Need need)
    {
        if (need == _next && need.IsReady)
        {
            ready();
        }
    }

    private sealed class Need : IDisposable
    {
        private readonly ClusterHold? _clusters;
        private readonly List<IFilterPreparation> _preparations = [];
        private readonly bool _isComplete;

        public Need(FilterDependencies owner, IEnumerable<ListenerFilter> filters)
        {
            var names = new List<string>();
            foreach (var filter in filters)
            {
                names.AddRange(filter.Type.ClustersOf(filter.Config));
                if (filter.Type.Prepare(filter.Config, owner.Services, () => Tell(owner)) is { } preparation)
                {
                    _preparations.Add(preparation);
                }
            }

            _clusters = names.Count > 0 ? owner.Services.Calls.Hold(names, () => Tell(owner)) : null;
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

        private void Tell(FilterDependencies owner)
        {
            lock (owner.Sync)
            {
                owner.OnChanged(this);
            }
        }
    }

    private FilterServices Services => services;

    private Lock Sync => sync;
}
