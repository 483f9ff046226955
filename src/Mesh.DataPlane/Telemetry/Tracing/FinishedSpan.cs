using System.Diagnostics;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>A span that is over, on its way to a collector.</summary>
/// <param name="TraceId">The trace.</param>
/// <param name="Id">The span.</param>
/// <param name="ParentId">The caller's; default for the first of a trace.</param>
/// <param name="State">W3C's <c>tracestate</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Which end it is of.</param>
/// <param name="Began">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="IsError">It failed.</param>
/// <param name="Tags">What it says.</param>
/// <param name="Events">What happened meanwhile.</param>
internal sealed record FinishedSpan(
    ActivityTraceId TraceId,
    ActivitySpanId Id,
    ActivitySpanId ParentId,
    string? State,
    string Name,
    ActivityKind Kind,
    DateTimeOffset Began,
    TimeSpan Duration,
    bool IsError,
    KeyValuePair<string, object?>[] Tags,
    ActivityEvent[] Events)
{
    public static FinishedSpan Of(Activity activity, ActivityKind kind, string name, DateTimeOffset began, TimeSpan duration)
        => new(
            activity.TraceId,
            activity.SpanId,
            activity.ParentSpanId,
            activity.TraceStateString,
            name,
            kind,
            began,
            duration,
            activity.Status == ActivityStatusCode.Error,
            [.. activity.TagObjects],
            [.. activity.Events]);

    public string? TagOf(string name)
    {
        foreach (var (key, value) in Tags)
        {
            if (key == name)
            {
                return value as string ?? value?.ToString();
            }
        }

        return null;
    }
}
