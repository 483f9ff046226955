using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>What the fault filters of one connection manager have done.</summary>
internal sealed class FaultCounters(in FilterBinding binding)
{
    /// <summary>Requests that were answered in place of the upstream.</summary>
    public CounterCell Aborts { get; } = binding.Counter("fault_aborts_injected", "Requests that were answered by an injected fault.");

    /// <summary>Requests that were held up.</summary>
    public CounterCell Delays { get; } = binding.Counter("fault_delays_injected", "Requests that were delayed by an injected fault.");

    /// <summary>Responses that were slowed down.</summary>
    public CounterCell ResponseLimits { get; } = binding.Counter("fault_response_rl_injected", "Responses that were slowed down by an injected fault.");

    /// <summary>Faults that were left out because of <c>max_active_faults</c>.</summary>
    public CounterCell Overflow { get; } = binding.Counter("fault_faults_overflow", "Faults that were not injected because there were as many as there may be.");

    /// <summary>Requests that suffer one now.</summary>
    public GaugeCell Active { get; } = binding.Gauge("fault_active_faults", "Requests that suffer an injected fault.");
}
