using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Telemetry.Tracing.Export;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

/// <summary>A collector that keeps what it gets, or does what the test says.</summary>
internal sealed class RecordingSender(Func<IReadOnlyList<FinishedSpan>, CancellationToken, Task<int>>? act = null) : SpanSender
{
    private readonly System.Threading.Channels.Channel<IReadOnlyList<FinishedSpan>> _batches = System.Threading.Channels.Channel.CreateUnbounded<IReadOnlyList<FinishedSpan>>();

    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Address => "the test";

    /// <summary>How often it was taken up and not let go.</summary>
    public int Sessions;

    /// <summary>Completes when it is let go for the first time.</summary>
    public Task LetGo => _letGo.Task;

    public override IDisposable Begin()
    {
        Interlocked.Increment(ref Sessions);
        return new Session(this);
    }

    public override async Task<int> SendAsync(IReadOnlyList<FinishedSpan> spans, CancellationToken cancellationToken)
    {
        _batches.Writer.TryWrite(spans);
        return act is null ? 0 : await act(spans, cancellationToken);
    }

    public async Task<IReadOnlyList<FinishedSpan>> NextAsync() => await _batches.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    private sealed class Session(RecordingSender owner) : IDisposable
    {
        public void Dispose()
        {
            Interlocked.Decrement(ref owner.Sessions);
            owner._letGo.TrySetResult();
        }
    }
}
