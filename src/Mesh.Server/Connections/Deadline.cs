namespace Mesh.Server.Connections;

/// <summary>Ends a wait by the injected clock, or with what it is part of.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly ITimer? _timer;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _timer = after == Timeout.InfiniteTimeSpan ? null : time.CreateTimer(static s => End((CancellationTokenSource)s!), _source, after, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    private static void End(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The wait ended in this moment.
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _source.Dispose();
    }
}
