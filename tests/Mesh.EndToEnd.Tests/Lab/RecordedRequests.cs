using System.Collections.Concurrent;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>What one control plane was asked and what it answered, per stream.</summary>
internal sealed class RecordedRequests
{
    private readonly ConcurrentQueue<RecordedStream> _streams = new();

    public IReadOnlyCollection<RecordedStream> Streams => _streams;

    /// <summary>Something was asked or answered.</summary>
    public event Action? Recorded;

    public RecordedStream Open(Func<ValueTask> abort)
    {
        var stream = new RecordedStream(abort);
        _streams.Enqueue(stream);
        return stream;
    }

    public void Record() => Recorded?.Invoke();

    /// <summary>Completes when what was recorded meets <paramref name="condition"/>.</summary>
    public async Task WhenAsync(Func<IReadOnlyCollection<RecordedStream>, bool> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check()
        {
            if (condition(Streams))
            {
                reached.TrySetResult();
            }
        }

        Recorded += Check;
        Check();
        await reached.Task.OrHang();
        Recorded -= Check;
    }
}
