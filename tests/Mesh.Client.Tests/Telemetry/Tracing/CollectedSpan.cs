namespace Mesh.Client.Tests.Telemetry.Tracing;

/// <summary>A span that has reached a collector.</summary>
internal sealed record CollectedSpan(
    string Service,
    string Scope,
    string TraceId,
    string Id,
    string ParentId,
    string Name,
    string Kind,
    DateTimeOffset Began,
    TimeSpan Duration,
    bool IsError,
    IReadOnlyDictionary<string, string> Tags,
    IReadOnlyList<(string Name, IReadOnlyDictionary<string, string> Tags)> Events)
{
    public string? this[string tag] => Tags.GetValueOrDefault(tag);
}
