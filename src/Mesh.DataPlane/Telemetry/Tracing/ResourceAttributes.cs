namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Attributes as OpenTelemetry's variable <c>OTEL_RESOURCE_ATTRIBUTES</c> has them: <c>name=value,name=value</c>, values percent-encoded.</summary>
internal static class ResourceAttributes
{
    public static IEnumerable<(string Name, string Value)> OfEnvironment(string? text)
    {
        foreach (var pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals > 0)
            {
                yield return (pair[..equals].Trim(), Uri.UnescapeDataString(pair[(equals + 1)..].Trim()));
            }
        }
    }
}
