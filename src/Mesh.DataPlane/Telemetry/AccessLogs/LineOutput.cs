using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Where lines go. They are written by one at a time, far from any request.</summary>
internal abstract partial class LineOutput : IAsyncDisposable
{
    private readonly LineQueue _queue;
    private readonly ILogger _logger;
    private bool _isFailing;

    /// <param name="name">What it is called where something is said of it.</param>
    /// <param name="settings">How long lines wait, and how many may.</param>
    /// <param name="counts">What becomes of them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told once when it fails, and once when it does no longer.</param>
    protected LineOutput(string name, LogQueueSettings settings, AccessLogCounts counts, TimeProvider time, ILogger logger)
    {
        (Name, Counts, _logger) = (name, counts, logger);
        _queue = new LineQueue(settings, time, WriteAsync, counts.Drop);
    }

    public AccessLogCounts Counts { get; }

    /// <summary>What it is called: a path.</summary>
    protected string Name { get; }

    /// <summary>Takes a line; never waits.</summary>
    public void Add(ReadOnlySpan<byte> line) => _queue.Add(line);

    /// <summary>Writes what is there.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => _queue.FlushAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Writes lines.</summary>
    /// <param name="text">The lines, one after the other.</param>
    /// <param name="ends">Where each of them ends.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    protected abstract ValueTask WriteAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<int> ends, CancellationToken cancellationToken);

    protected virtual ValueTask CloseAsync() => ValueTask.CompletedTask;

    private async Task WriteAsync(LineChunk chunk, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(chunk.Bytes, chunk.Ends, cancellationToken).ConfigureAwait(false);
            Counts.Wrote(chunk.Lines);
            if (_isFailing)
            {
                _isFailing = false;
                Log.Recovered(_logger, Name, Counts.Dropped);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ObjectDisposedException or OperationCanceledException)
        {
            Counts.Drop(chunk.Lines);
            Counts.Fail();
            if (!_isFailing && e is not OperationCanceledException)
            {
                _isFailing = true;
                Log.Failed(_logger, Name, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The access log {Name} cannot be written: {Reason} Entries are dropped until it can be; requests are not touched.")]
        public static partial void Failed(ILogger logger, string name, string reason);

        [LoggerMessage(2, LogLevel.Information, "The access log {Name} can be written again; {Dropped} entries were dropped.")]
        public static partial void Recovered(ILogger logger, string name, long dropped);
    }
}
