using System.Text.Json.Nodes;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>A tag that the configuration adds to spans.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Header">The request header whose value it has; <see langword="null"/> where it has another one.</param>
/// <param name="Format">What it is rendered from; <see langword="null"/> where it is a header's or always the same.</param>
/// <param name="Default">Its value where there is no other; empty for no tag.</param>
internal sealed record CustomTag(string Name, HeaderName? Header, SubstitutionFormat? Format, string Default)
{
    /// <summary>The variable of this process's environment whose value it has; empty where it has another one.</summary>
    public string Variable { get; init; } = "";

    /// <summary>Whose metadata its value is among; <see langword="null"/> where it is among none.</summary>
    public MetadataSource? Metadata { get; init; }

    /// <summary>The namespace there.</summary>
    public string MetadataNamespace { get; init; } = "";

    /// <summary>The way to it below.</summary>
    public string[] MetadataPath { get; init; } = [];

    /// <param name="record">The request.</param>
    /// <param name="workload">The process, whose environment is read.</param>
    /// <returns><see langword="null"/> where the tag is left out.</returns>
    public string? ValueOf(RequestRecord record, TracedWorkload workload)
    {
        var value = Header is { } header ? record.Format.RequestHeader(header)
            : Format is { } format ? format.RenderValue(record.Format)
            : Metadata is { } metadata ? Find(metadata(record.Format, MetadataNamespace))
            : Variable.Length > 0 ? workload.Environment.GetValueOrDefault(Variable)
            : null;
        return !string.IsNullOrEmpty(value) ? value : Default.Length > 0 ? Default : null;
    }

    private string? Find(JsonNode? node)
    {
        foreach (var segment in MetadataPath)
        {
            node = node is JsonObject parent ? parent[segment] : null;
        }

        return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node?.ToJsonString();
    }
}
