namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>The names that configuration gives to spans: the route's before the listener's.</summary>
internal static class SpanNames
{
    /// <returns><see langword="null"/> where nobody has given one.</returns>
    public static string? Of(RequestRecord record, TracingSettings settings)
    {
        var route = record.Route?.Policy.Tracing;
        return route?.Name ?? ((route?.Operation ?? settings.Operation) is { } operation && operation.Render(record.Format) is { Length: > 0 } name ? name : null);
    }
}
