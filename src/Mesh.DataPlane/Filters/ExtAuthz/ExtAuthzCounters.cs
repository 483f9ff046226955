using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>What external authorizers have said of one connection manager's requests.</summary>
internal sealed class ExtAuthzCounters(in FilterBinding binding, string statPrefix)
{
    /// <summary>Requests that the authorizer let pass.</summary>
    public CounterCell Ok { get; } = Counter(binding, statPrefix, "ok", "Requests that the external authorizer let pass.");

    /// <summary>Requests that it refused.</summary>
    public CounterCell Denied { get; } = Counter(binding, statPrefix, "denied", "Requests that the external authorizer refused.");

    /// <summary>Requests about which it could not be asked.</summary>
    public CounterCell Error { get; } = Counter(binding, statPrefix, "error", "Requests about which the external authorizer could not be asked.");

    /// <summary>Of those, the ones that passed all the same.</summary>
    public CounterCell FailureModeAllowed { get; } = Counter(binding, statPrefix, "failure_mode_allowed", "Requests that passed because the external authorizer could not be asked.");

    /// <summary>Requests about which it was not to be asked.</summary>
    public CounterCell Disabled { get; } = Counter(binding, statPrefix, "disabled", "Requests about which the external authorizer was not asked, as its filter is not enabled for them.");

    /// <summary>Answers that asked for what cannot be done.</summary>
    public CounterCell Invalid { get; } = Counter(binding, statPrefix, "invalid", "Answers of the external authorizer that would have made an invalid message.");

    private static CounterCell Counter(in FilterBinding binding, string statPrefix, string name, string help)
        => binding.Services.Metrics.Counter("envoy_http_ext_authz_" + name, help, FilterCounters.Label, "envoy_ext_authz_prefix").Cell(binding.StatPrefix, statPrefix);
}
