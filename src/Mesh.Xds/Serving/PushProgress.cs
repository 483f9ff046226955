namespace Mesh.Xds.Serving;

/// <summary>How long pushes wait for one connection's turn, and until its client has been sent all that follows from them. Of its writer alone.</summary>
internal sealed class PushProgress(AdsServerMetrics metrics, TimeProvider time)
{
    private long? _since;
    private bool _hasSent;

    /// <summary>The writer looks at what has been pushed.</summary>
    /// <param name="since">When the first of it was; <see langword="null"/>: nothing was.</param>
    public void Taken(long? since)
    {
        if (since is { } first)
        {
            metrics.Waited(time.GetElapsedTime(first));
            _since ??= first;
        }
    }

    /// <summary>A response has been written.</summary>
    /// <param name="began">When writing began.</param>
    public void Sent(long began)
    {
        metrics.Sent(time.GetElapsedTime(began));
        _hasSent = true;
    }

    /// <summary>Nothing is left to send.</summary>
    public void Rest()
    {
        if (_since is { } first && _hasSent)
        {
            metrics.Converged(time.GetElapsedTime(first));
        }

        (_since, _hasSent) = (null, false);
    }
}
