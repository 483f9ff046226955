using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Telemetry.Tracing;

namespace Mesh.DataPlane.Telemetry;

/// <summary>The signals of one process: what every listener's requests are told to.</summary>
/// <param name="time">The clock.</param>
/// <param name="sinks">Who is told of every request, whatever its listener says.</param>
internal sealed class MeshTelemetry(TimeProvider time, IEnumerable<RequestSink>? sinks = null)
{
    private readonly RequestSink[] _sinks = [.. sinks ?? []];

    /// <summary>Istio's metrics; <see langword="null"/> when nobody counts them.</summary>
    public IstioMetrics? Metrics { get; init; }

    /// <summary>Envoy's metrics of requests that come in; <see langword="null"/> when nobody counts them.</summary>
    public DownstreamMetrics? Downstream { get; init; }

    /// <summary>What peers have told of themselves.</summary>
    public PeerMetadata Peers { get; } = new();

    /// <summary>Writes access logs; <see langword="null"/> where nobody does.</summary>
    public MeshAccessLogs? AccessLogs { get; init; }

    /// <summary>Spans, and where they go.</summary>
    public MeshTracing Tracing { get; init; } = new(time);

    /// <summary>What this process tells its peers of itself; <see langword="null"/> when it tells nothing.</summary>
    public OwnMetadata? OwnMetadata { get; init; }

    /// <summary>What becomes of connections that are told of as connections; <see langword="null"/> when nobody wants to know of them.</summary>
    /// <param name="settings">What their chain and its listener say.</param>
    /// <param name="reporter">Whose they are.</param>
    /// <param name="areCounted">They carry no requests, which are counted instead.</param>
    public ConnectionSignals? ConnectionsOf(SignalSettings settings, Reporter reporter, bool areCounted = true)
    {
        var metrics = areCounted ? Metrics?.Connections(settings.Stats ?? StatsSettings.Of(reporter), reporter, settings.Service) : null;
        var logs = AccessLogs?.ConnectionSinkOf(settings.AccessLogs) is { } sink ? new RequestSignals(reporter, [sink], null, time) : null;
        return metrics is null && logs is null ? null : new ConnectionSignals(metrics, logs);
    }

    /// <summary>Binds what a listener says of signals.</summary>
    public RequestSignals SignalsOf(SignalSettings settings, Reporter reporter)
    {
        // Those who are told of every request are told last: what they know of is counted and logged.
        RequestSink[] sinks = AccessLogs?.SinkOf(settings.AccessLogs, reporter) is { } logs ? [logs, .. _sinks] : _sinks;
        if (reporter == Reporter.Destination && settings.StatPrefix.Length > 0 && Downstream is { } downstream)
        {
            sinks = [downstream.Of(settings.StatPrefix), .. sinks];
        }

        sinks = Metrics is null ? sinks : [Metrics.Requests(settings.Stats ?? StatsSettings.Of(reporter), reporter, settings.Service), .. sinks];
        return new RequestSignals(reporter, sinks, Tracing.TracerOf(settings.Tracing, reporter), time);
    }
}
