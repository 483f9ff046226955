using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Tcp;

/// <summary>The listeners for connections that this process follows.</summary>
/// <param name="clusters">Where their chains lead.</param>
/// <param name="time">The clock.</param>
/// <param name="fetchTimeout">How long an update waits for clusters that have not been answered for.</param>
/// <param name="drainDuration">How long connections outlive the chain that admitted them.</param>
/// <param name="sync">The lock of the configuration.</param>
internal sealed class TcpTables(ClusterRegistry clusters, TimeProvider time, TimeSpan fetchTimeout, TimeSpan drainDuration, Lock sync)
{
    private readonly HashSet<TcpSubscription> _heldBack = [];

    /// <summary>A table went into force, or a subscription ended; called with the lock held.</summary>
    public event Action? Changed;

    /// <summary>Tables that wait for clusters; for tests and status.</summary>
    public int HeldBack
    {
        get
        {
            lock (sync)
            {
                return _heldBack.Count;
            }
        }
    }

    /// <param name="changed">Called with the lock held when another table is in force.</param>
    public TcpSubscription Follow(Action<TcpTable> changed)
    {
        TcpSubscription? subscription = null;
        subscription = new TcpSubscription(clusters, time, fetchTimeout, drainDuration, sync, changed, () => OnChanged(subscription!));
        return subscription;
    }

    private void OnChanged(TcpSubscription subscription)
    {
        if (subscription.IsHeldBack)
        {
            _heldBack.Add(subscription);
        }
        else if (_heldBack.Remove(subscription))
        {
            Changed?.Invoke();
        }
    }
}
