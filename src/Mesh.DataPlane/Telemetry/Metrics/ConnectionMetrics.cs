using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Counts connections that carry no requests in Istio's metrics. All listeners that say the same of metrics share one.</summary>
internal sealed class ConnectionMetrics
{
    private const string Inbound = "InboundPassthroughCluster";

    private readonly StatsPlan _plan;
    private readonly StandardLabels _labels;
    private readonly ServiceLookup _services;
    private readonly ServiceNames? _own;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly RotatingSets<ConnectionKey, ConnectionCells> _sets;

    /// <param name="plan">What is counted.</param>
    /// <param name="settings">What the listener says.</param>
    /// <param name="reporter">Whose metrics they are.</param>
    /// <param name="local">Who this process is.</param>
    /// <param name="own">On a server, the service whose connections they are; <see langword="null"/> where nobody has said.</param>
    /// <param name="services">Names of services.</param>
    /// <param name="limit">How many label sets there may be.</param>
    /// <param name="time">The clock.</param>
    public ConnectionMetrics(
        StatsPlan plan, StatsSettings settings, Reporter reporter, Peer local, ServiceNames? own, ServiceLookup services, CardinalityLimit limit, TimeProvider time)
    {
        (_plan, _own, _services, _time, _interval) = (plan, own, services, time, settings.TcpReportingDuration);
        _labels = new StandardLabels(reporter, local);
        _sets = new RotatingSets<ConnectionKey, ConnectionCells>(
            "istio_tcp_connections_opened_total", limit, settings.RotationInterval, settings.GracefulDeletionInterval, time,
            key => new ConnectionCells(_plan, _labels.OfConnection(key.Peer, key.Service, key.Principals, key.Flags), key.Expressed),
            static key => key.Collapsed(), static cells => cells.Remove());
    }

    /// <summary>What counts a connection of this process.</summary>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="known">The service that the cluster's metadata name; <see langword="null"/> for none.</param>
    public ConnectionMeter Measure(string cluster, ServiceNames? known)
        => new(this, cluster, _services.Of(known, cluster, route: null, authority: ""), _time, _interval);

    /// <summary>What counts a connection that has come in, and is left to the application.</summary>
    public ConnectionMeter Measure(ConnectionFacts facts)
        => new(this, Inbound, _services.Of(_own, _own is null ? Inbound : null, route: null, authority: ""), _time, _interval) { Facts = facts };

    /// <summary>The cells of a label set: looked for whenever something is counted, so that those in use are not taken away.</summary>
    public ConnectionCells Find(in ConnectionKey key) => _sets.Find(key);

    /// <summary>The values of the operator's own expressions.</summary>
    public string[]? Express(in FormatContext context) => _plan.Evaluate(context);

    /// <summary>Takes away what nobody has counted in for long.</summary>
    public void Rotate() => _sets.Rotate();
}
