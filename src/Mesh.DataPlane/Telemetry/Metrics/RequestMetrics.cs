using System.Collections.Concurrent;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Counts each request in Istio's metrics. All listeners that say the same of metrics share one.</summary>
internal sealed class RequestMetrics : RequestSink
{
    private readonly StatsPlan _plan;
    private readonly StatsSettings _settings;
    private readonly StandardLabels _labels;
    private readonly ServiceLookup _services;
    private readonly ServiceNames? _own;
    private readonly RotatingSets<RequestKey, RequestCells> _sets;
    private readonly bool _isSource;

    /// <param name="plan">What is counted.</param>
    /// <param name="settings">What the listener says.</param>
    /// <param name="reporter">Whose metrics they are.</param>
    /// <param name="local">Who this process is.</param>
    /// <param name="own">On a server, the service whose requests they are; <see langword="null"/> where nobody has said.</param>
    /// <param name="services">Names of services.</param>
    /// <param name="limit">How many label sets there may be.</param>
    /// <param name="time">The clock.</param>
    public RequestMetrics(
        StatsPlan plan, StatsSettings settings, Reporter reporter, Peer local, ServiceNames? own, ServiceLookup services, CardinalityLimit limit, TimeProvider time)
    {
        _plan = plan;
        _settings = settings;
        _labels = new StandardLabels(reporter, local);
        _services = services;
        _own = own;
        _isSource = reporter == Reporter.Source;
        _sets = new RotatingSets<RequestKey, RequestCells>(
            "istio_requests_total", limit, settings.RotationInterval, settings.GracefulDeletionInterval, time, Bind, static key => key.Collapsed(), static cells => cells.Remove());
    }

    /// <summary>Takes away what nobody has counted in for long.</summary>
    public void Rotate() => _sets.Rotate();

    public override void OnEnd(RequestRecord record)
        => _sets.Find(new RequestKey(
            (_isSource ? record.Endpoint?.Resource.Peer : record.Peer) ?? Peer.Unknown,
            ServiceOf(record),
            (_isSource ? record.Endpoint?.State.Principals : record.Connection?.Principals) ?? Principals.None,
            record.Flags,
            record.Status,
            record.IsGrpc ? GrpcStatusOf(record) : -1,
            record.IsGrpc,
            _plan.Expressions.Length == 0 ? null : _plan.Evaluate(record.Format))).Record(record);

    // As gRPC's clients take a response without a status (doc/http-grpc-status-mapping.md).
    private static int GrpcStatusOf(RequestRecord record)
        => record.GrpcStatus >= 0 ? record.GrpcStatus : record.Status switch
        {
            0 => -1,
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 or 502 or 503 or 504 => 14,
            _ => 2,
        };

    private ServiceNames ServiceOf(RequestRecord record)
        => _services.Of(
            _isSource ? record.Cluster?.Current.Policy?.Service : _own,
            record.ClusterName,
            record.Route,
            _settings.DisableHostHeaderFallback ? "" : record.Authority);

    private RequestCells Bind(RequestKey key) => new(_plan, _labels.Of(key), key.Expressed, key.IsGrpc);
}
