namespace Mesh.DataPlane.Hosts;

/// <summary>What a listener's connection manager and router say for all its requests.</summary>
internal sealed record ListenerSettings
{
    public static ListenerSettings Default { get; } = new();

    /// <summary>
    /// The router's <c>suppress_envoy_headers</c>: rewrites leave no <c>x-envoy-original-*</c> behind, and nobody is told of timeouts and service times.
    /// </summary>
    public bool SuppressEnvoyHeaders { get; init; }

    /// <summary>The router's <c>respect_expected_rq_timeout</c>: what a request says that it is waited for is the route's timeout.</summary>
    public bool RespectsExpectedTimeout { get; init; }

    /// <summary>
    /// <c>stream_idle_timeout</c>, for routes without one of their own; zero is none. Only where it is written: Envoy's 5 minutes guard a proxy's
    /// memory against callers that went away, and here the caller is this process.
    /// </summary>
    public TimeSpan StreamIdleTimeout { get; init; }

    /// <summary>What it says of access logs, traces and metrics.</summary>
    public Telemetry.SignalSettings Signals { get; init; } = Telemetry.SignalSettings.Default;

    /// <summary><c>common_http_protocol_options.max_stream_duration</c>, for routes without one of their own; zero is none.</summary>
    public TimeSpan MaxStreamDuration { get; init; }
}
