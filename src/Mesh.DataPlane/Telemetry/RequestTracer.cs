using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing;

namespace Mesh.DataPlane.Telemetry;

/// <summary>Makes spans of requests, and carries the trace on.</summary>
internal abstract class RequestTracer
{
    /// <summary>The request is about to be routed: begins <see cref="RequestRecord.Span"/> where it is sampled. Leaves <see cref="Activity.Current"/> as it is: the caller's context is not ours.</summary>
    public abstract void OnBegin(RequestRecord record);

    /// <summary>The client's door: the headers that carry <see cref="RequestRecord.Span"/> and <see cref="RequestRecord.RequestId"/> on, before the route changes the message and the first attempt goes out; written by <see cref="Upstream.AttemptInput.Injected"/>, so that the caller gets its message back as it was.</summary>
    public abstract void Inject(RequestRecord record, Upstream.AttemptInput input);

    /// <summary>The client's door: one attempt has come to its end.</summary>
    public abstract void OnAttempt(RequestRecord record, in Upstream.Attempt attempt, int number);

    /// <summary>The client's door: a copy of the request is about to leave, which has a span of its own.</summary>
    /// <returns><see langword="null"/> where it has none.</returns>
    public virtual MirrorSpan? BeginMirror(RequestRecord record, HttpRequestMessage copy) => null;

    /// <summary>The request is over: <see cref="RequestRecord.Span"/> gets its tags and ends. Before any sink, so that they may tell of it.</summary>
    public abstract void OnEnd(RequestRecord record);
}
