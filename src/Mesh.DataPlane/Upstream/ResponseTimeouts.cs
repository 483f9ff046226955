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

    public static Exception? Explain(TimeoutCause cause, Exception? exception = null)
        => cause switch
        {
            TimeoutCause.Route => TimedOut("the route's timeout (UT)", exception),
            TimeoutCause.Idle => TimedOut("the stream's idle timeout (SI)", exception),
            TimeoutCause.PerTryIdle => TimedOut("the per-try idle timeout (SI)", exception),
            TimeoutCause.Caller when exception is null => new OperationCanceledException("The request was cancelled by its caller, and its response with it."),
            TimeoutCause.MaxStreamDuration => TimedOut("the maximal duration of the stream (DT)", exception),
            TimeoutCause.UpstreamMaxStreamDuration => TimedOut("the cluster's maximal duration of a stream (UMSDR)", exception),
            _ => null,
        };

    private static HttpIOException TimedOut(string clock, Exception? exception)
        => new(HttpRequestError.ResponseEnded, $"The upstream's response was not complete within {clock}.", exception);
}
