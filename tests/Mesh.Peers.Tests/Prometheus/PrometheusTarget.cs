namespace Mesh.Peers.Tests.Prometheus;

/// <summary>Somebody whose metrics are collected.</summary>
/// <param name="Job">The label <c>job</c>.</param>
/// <param name="Address">Host and port.</param>
/// <param name="Path">Where the metrics are.</param>
internal sealed record PrometheusTarget(string Job, string Address, string Path);
