using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>What has become of the entries of one output.</summary>
internal sealed class AccessLogCounts
{
    private readonly CounterCell _written;
    private readonly CounterCell _dropped;
    private readonly CounterCell _failed;

    /// <param name="metrics">Where they are shown.</param>
    /// <param name="sink">The kind of output: <c>file</c>, <c>stdout</c>, <c>grpc</c>, …</param>
    /// <param name="target">Which one: a path, a log's name.</param>
    public AccessLogCounts(MetricRegistry metrics, string sink, string target)
    {
        var (written, dropped, failed) = Declare(metrics);
        _written = written.Cell(sink, target);
        _dropped = dropped.Cell(sink, target);
        _failed = failed.Cell(sink, target);
    }

    /// <summary>The metrics, of which there may be none yet.</summary>
    public static (CounterFamily Written, CounterFamily Dropped, CounterFamily Failed) Declare(MetricRegistry metrics)
        => (metrics.Counter("mesh_access_log_entries_written_total", "Entries of access logs that were written or taken by their collector.", "sink", "target"),
            metrics.Counter("mesh_access_log_entries_dropped_total", "Entries of access logs that were lost: there was no room for them, or they could not be written.", "sink", "target"),
            metrics.Counter("mesh_access_log_write_failures_total", "Attempts to write entries of access logs that have failed.", "sink", "target"));

    public long Written => (long)_written.Value;

    public long Dropped => (long)_dropped.Value;

    public long Failures => (long)_failed.Value;

    public void Wrote(int entries) => _written.Add(entries);

    public void Drop(int entries) => _dropped.Add(entries);

    public void Fail() => _failed.Add(1);
}
