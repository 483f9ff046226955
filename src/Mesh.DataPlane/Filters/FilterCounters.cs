using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters;

/// <summary>What HTTP filters count, by Envoy's names and by the connection manager that they belong to. As many as configurations name, however much is asked.</summary>
internal static class FilterCounters
{
    /// <summary>The label that tells connection managers apart: their <c>stat_prefix</c>.</summary>
    public const string Label = "envoy_http_conn_manager_prefix";

    private const string Prefix = "envoy_http_";

    /// <summary>One counter of a filter; the same for the same connection manager.</summary>
    /// <param name="binding">Where the filter is.</param>
    /// <param name="name">Its name, as <c>fault_aborts_injected</c>.</param>
    /// <param name="help">One sentence.</param>
    public static CounterCell Counter(this in FilterBinding binding, string name, string help)
        => binding.Services.Metrics.Counter(Prefix + name, help, Label).Cell(binding.StatPrefix);

    /// <summary>The same of what goes up and down.</summary>
    public static GaugeCell Gauge(this in FilterBinding binding, string name, string help)
        => binding.Services.Metrics.Gauge(Prefix + name, help, Label).Cell(binding.StatPrefix);
}
