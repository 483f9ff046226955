using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>Past the headers a timeout can be no response any more: the read that meets it throws, and says which clock ran out.</summary>
internal static class ResponseTimeouts
{
    /// <summary>What a reader should see instead of <paramref name="exception"/>; <see langword="null"/> when the clock is not its reason.</summary>
    public static Exception? Explain(Exception exception, RequestClock? clock, CancellationToken reader)
        => clock?.Cause is TimeoutCause.Caller && exception is OperationCanceledException && reader.IsCancellationRequested
            ? new OperationCanceledException(exception.Message, exception, reader)
            : Explain(clock?.Cause ?? TimeoutCause.None, exception);

    /// <summary>The reply that the clock would have come to if it had run out earlier; <see langword="null"/> for what is no clock of the mesh's.</summary>
    public static LocalReply? ReplyOf(TimeoutCause cause)
        => cause switch
        {
            TimeoutCause.Route => LocalReply.ResponseTimeout,
            TimeoutCause.Idle => LocalReply.StreamIdleTimeout(requestIsComplete: true),
            TimeoutCause.PerTryIdle => LocalReply.PerTryIdleTimeout,
            TimeoutCause.MaxStreamDuration => LocalReply.MaxStreamDuration(requestIsComplete: true),
            TimeoutCause.UpstreamMaxStreamDuration => LocalReply.UpstreamMaxStreamDuration(requestIsComplete: true),
            _ => null,
        };

    public static Exception? Explain(TimeoutCause cause, Exception? exception = null)
        => cause switch
        {
            TimeoutCause.Route => LateFailures.OfClock(LocalReply.ResponseTimeout, "the route's timeout", exception),
            TimeoutCause.Idle => LateFailures.OfClock(LocalReply.StreamIdleTimeout(requestIsComplete: true), "the stream's idle timeout", exception),
            TimeoutCause.PerTryIdle => LateFailures.OfClock(LocalReply.PerTryIdleTimeout, "the per-try idle timeout", exception),
            TimeoutCause.Caller when exception is null => new OperationCanceledException("The request was cancelled by its caller, and its response with it."),
            TimeoutCause.MaxStreamDuration => LateFailures.OfClock(LocalReply.MaxStreamDuration(requestIsComplete: true), "the maximal duration of the stream", exception),
            TimeoutCause.UpstreamMaxStreamDuration => LateFailures.OfClock(LocalReply.UpstreamMaxStreamDuration(requestIsComplete: true), "the cluster's maximal duration of a stream", exception),
            _ => null,
        };
}
