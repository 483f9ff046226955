namespace Mesh.DataPlane.LoadReporting;

/// <summary>The loads of all clusters of a process. They outlive the clusters until their last numbers are told, if anybody tells them.</summary>
internal sealed class LoadStore(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ClusterLoad> _clusters = new(StringComparer.Ordinal);
    private bool _isReported;

    /// <summary>Somebody tells the numbers.</summary>
    public bool IsReported
    {
        get => Volatile.Read(ref _isReported);
        set
        {
            Volatile.Write(ref _isReported, value);
            if (!value)
            {
                Sweep();
            }
        }
    }

    public IReadOnlyList<ClusterLoad> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _clusters.Values];
            }
        }
    }

    /// <summary>Whether a cluster's control plane takes load reports for it.</summary>
    public bool HasWanted
    {
        get
        {
            lock (_gate)
            {
                return _clusters.Values.Any(c => c.IsWanted);
            }
        }
    }

    /// <summary>A cluster comes into use.</summary>
    public ClusterLoad Acquire(string name)
    {
        lock (_gate)
        {
            if (!_clusters.TryGetValue(name, out var load))
            {
                load = new ClusterLoad(name, time.GetTimestamp());
                _clusters.Add(name, load);
            }

            load.IsRetired = false;
            return load;
        }
    }

    /// <summary>It goes out of use.</summary>
    public void Release(ClusterLoad load)
    {
        lock (_gate)
        {
            load.IsRetired = true;
            if (!IsReported)
            {
                _clusters.Remove(load.Name);
            }
        }
    }

    /// <summary>All numbers have been told: what has gone is forgotten.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var (name, load) in _clusters)
            {
                load.Sweep();
                if (load.IsRetired && (!IsReported || !load.Endpoints().Any(e => e.IsBusy)))
                {
                    _clusters.Remove(name);
                }
            }
        }
    }
}
