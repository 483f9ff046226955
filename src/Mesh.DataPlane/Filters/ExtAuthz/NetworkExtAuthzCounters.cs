using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>What external authorizers have said of connections, by Envoy's names.</summary>
/// <param name="registry">Where it is counted.</param>
/// <param name="statPrefix">The filter's; Istio writes <c>tcp.</c>, with a dot that separates nothing.</param>
internal sealed class NetworkExtAuthzCounters(MetricRegistry registry, string statPrefix)
{
    private const string Prefix = "envoy_ext_authz_";
    private const string Label = "envoy_ext_authz_prefix";

    /// <summary>Connections about which it was asked.</summary>
    public CounterCell Total { get; } = Counter(registry, statPrefix, "total", "Connections about which the external authorizer was asked.");

    /// <summary>Connections about which it is being asked.</summary>
    public GaugeCell Active { get; } = registry.Gauge(Prefix + "active", "Connections about which the external authorizer is being asked.", Label).Cell(statPrefix.TrimEnd('.'));

    /// <summary>Connections that it let in.</summary>
    public CounterCell Ok { get; } = Counter(registry, statPrefix, "ok", "Connections that the external authorizer let in.");

    /// <summary>Connections that it refused.</summary>
    public CounterCell Denied { get; } = Counter(registry, statPrefix, "denied", "Connections that the external authorizer refused.");

    /// <summary>Connections about which it could not be asked.</summary>
    public CounterCell Error { get; } = Counter(registry, statPrefix, "error", "Connections about which the external authorizer could not be asked.");

    /// <summary>Of those, the ones that were let in all the same.</summary>
    public CounterCell FailureModeAllowed { get; } = Counter(registry, statPrefix, "failure_mode_allowed", "Connections that were let in because the external authorizer could not be asked.");

    /// <summary>Connections about which it was not to be asked.</summary>
    public CounterCell Disabled { get; } = Counter(registry, statPrefix, "disabled", "Connections about which the external authorizer was not asked, as its filter is not enabled for them.");

    /// <summary>Connections that were closed for it.</summary>
    public CounterCell Closed { get; } = Counter(registry, statPrefix, "cx_closed", "Connections that were closed because the external authorizer refused them, or could not be asked.");

    private static CounterCell Counter(MetricRegistry registry, string statPrefix, string name, string help)
        => registry.Counter(Prefix + name, help, Label).Cell(statPrefix.TrimEnd('.'));
}
