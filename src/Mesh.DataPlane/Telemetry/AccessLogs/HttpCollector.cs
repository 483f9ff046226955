namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>How records go by HTTP.</summary>
/// <param name="Uri">What is posted to.</param>
/// <param name="Headers">What the requests carry besides.</param>
internal sealed record HttpCollector(Uri Uri, IReadOnlyList<(string Name, string Value)> Headers);
