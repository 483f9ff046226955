using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Telemetry.Tracing;

namespace Mesh.DataPlane.Telemetry;

/// <summary>What a listener's connection manager says of signals: access logs, tracing, and the metrics filter. Decoded, bound to nothing.</summary>
internal sealed record SignalSettings
{
    /// <summary>Where the listener's requests are logged.</summary>
    public IReadOnlyList<AccessLogs.AccessLogSettings> AccessLogs { get; init; } = [];

    public static SignalSettings Default { get; } = new();

    /// <summary>What the filter <c>istio.stats</c> says; <see langword="null"/> when there is none, and metrics are as they are by default.</summary>
    public StatsSettings? Stats { get; init; }

    /// <summary>On a server, which service its requests are for; <see langword="null"/> when nobody has said.</summary>
    public ServiceNames? Service { get; init; }

    /// <summary>By what it is known among metrics (<c>stat_prefix</c>).</summary>
    public string StatPrefix { get; init; } = "";

    /// <summary>What it says of traces and request ids.</summary>
    public TracingSettings Tracing { get; init; } = TracingSettings.Default;
}
