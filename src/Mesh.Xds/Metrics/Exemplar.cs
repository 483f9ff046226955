using System.Diagnostics;

namespace Mesh.Xds.Metrics;

/// <summary>One value of a histogram, and the trace that it was measured in.</summary>
/// <param name="Value">The value.</param>
/// <param name="TraceId">Its trace.</param>
/// <param name="SpanId">Its span.</param>
/// <param name="At">When, by the wall clock.</param>
internal sealed record Exemplar(double Value, ActivityTraceId TraceId, ActivitySpanId SpanId, DateTimeOffset At);
