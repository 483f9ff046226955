namespace Mesh.Client.Tests.Telemetry.Tracing;

/// <summary>A request that a collector got.</summary>
internal sealed record CollectedPost(string Path, string Host, string ContentType, IReadOnlyDictionary<string, string> Headers);
