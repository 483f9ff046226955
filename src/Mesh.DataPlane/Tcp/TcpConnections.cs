namespace Mesh.DataPlane.Tcp;

/// <summary>The open connections of a filter chain, which end with it: as in Envoy not at once, but when the time for draining is over.</summary>
internal sealed class TcpConnections(TimeProvider time)
{
    private readonly HashSet<TcpConnection> _open = [];
    private ITimer? _draining;
    private bool _isOver;

    public bool Any
    {
        get
        {
            lock (_open)
            {
                return _open.Count > 0;
            }
        }
    }

    public void Add(TcpConnection connection)
    {
        bool isOver;
        lock (_open)
        {
            _open.Add(connection);
            isOver = _isOver;
        }

        if (isOver)
        {
            connection.Close(TcpCloseReason.Drained);
        }
    }

    public void Remove(TcpConnection connection)
    {
        lock (_open)
        {
            _open.Remove(connection);
        }
    }

    /// <summary>The chain is no longer in force: what is still open after that time is closed.</summary>
    public void Drain(TimeSpan after)
    {
        lock (_open)
        {
            if (_isOver || _draining is not null)
            {
                return;
            }

            if (after > TimeSpan.Zero)
            {
                // Though there may be none yet: one that was admitted just now is still being made.
                _draining = time.CreateTimer(static connections => ((TcpConnections)connections!).End(), this, after, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        End();
    }

    private void End()
    {
        TcpConnection[] open;
        lock (_open)
        {
            _isOver = true;
            _draining?.Dispose();
            open = [.. _open];
        }

        foreach (var connection in open)
        {
            connection.Close(TcpCloseReason.Drained);
        }
    }
}
