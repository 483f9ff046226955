namespace Mesh.ControlPlane.Load;

/// <summary>Sums by slot of time, for as long as the window; and what was so at the last report.</summary>
internal sealed class LoadSeries
{
    private readonly List<(long Slot, LoadSums Sums)> _slots = [];

    /// <summary>Requests under way at the last report.</summary>
    public ulong InProgress { get; private set; }

    /// <summary>Connections open at the last report.</summary>
    public ulong ActiveConnections { get; private set; }

    /// <summary>The slot of the last report that mentioned it.</summary>
    public long LastSlot { get; private set; } = long.MinValue;

    public void Add(long slot, LoadSums sums, ulong inProgress, ulong activeConnections)
    {
        (InProgress, ActiveConnections, LastSlot) = (inProgress, activeConnections, slot);
        if (_slots is [.., var last] && last.Slot == slot)
        {
            last.Sums.Add(sums);
        }
        else if (sums.HasAny)
        {
            _slots.Add((slot, sums));
        }
    }

    /// <summary>Forgets what came before a slot.</summary>
    /// <returns>Whether anything is left.</returns>
    public bool Trim(long oldest)
    {
        _slots.RemoveAll(s => s.Slot < oldest);
        return _slots.Count > 0 || LastSlot >= oldest;
    }

    /// <summary>The sums of the slots from one on.</summary>
    public LoadSums Since(long slot)
    {
        var sums = new LoadSums();
        foreach (var (at, part) in _slots)
        {
            if (at >= slot)
            {
                sums.Add(part);
            }
        }

        return sums;
    }
}
