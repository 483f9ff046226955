namespace Mesh.Xds.Client;

/// <summary>Runs what is posted one after another, in order, on the thread pool.</summary>
internal sealed class SerialQueue : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<Action> _items = [];
    private bool _scheduled;
    private int _runningThread;

    /// <summary>Whether the caller is code that the queue is running.</summary>
    public bool IsCurrent => Volatile.Read(ref _runningThread) == Environment.CurrentManagedThreadId;

    /// <summary>Adds an item; never runs it on the caller's stack. An item must not throw.</summary>
    public void Post(Action item)
    {
        lock (_gate)
        {
            _items.Enqueue(item);
            if (_scheduled)
            {
                return;
            }

            _scheduled = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _runningThread, Environment.CurrentManagedThreadId);
        try
        {
            while (true)
            {
                Action item;
                lock (_gate)
                {
                    if (_items.Count == 0)
                    {
                        _scheduled = false;
                        Volatile.Write(ref _runningThread, 0);
                        return;
                    }

                    item = _items.Dequeue();
                }

                item();
            }
        }
        finally
        {
            // Left early only by a throwing item, which ends the process anyway.
            if (IsCurrent)
            {
                Volatile.Write(ref _runningThread, 0);
            }
        }
    }
}
