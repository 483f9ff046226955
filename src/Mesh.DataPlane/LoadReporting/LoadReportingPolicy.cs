namespace Mesh.DataPlane.LoadReporting;

/// <summary>What a cluster wants to be told to its control plane.</summary>
/// <param name="IsWanted">The control plane that sent it takes load reports for it (<c>lrs_server: {self: {}}</c>).</param>
/// <param name="Metrics">Metrics of the endpoints' own reports (<c>lrs_report_endpoint_metrics</c>).</param>
internal sealed record LoadReportingPolicy(bool IsWanted, IReadOnlyList<string> Metrics)
{
    public static LoadReportingPolicy None { get; } = new(false, []);
}
