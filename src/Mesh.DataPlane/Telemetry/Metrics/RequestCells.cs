using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>The cells of one label set of requests: found once, then only counted in. A metric that is dropped has none.</summary>
internal sealed class RequestCells
{
    private readonly StatsPlan _plan;
    private readonly CounterCell? _requests;
    private readonly HistogramCell? _duration;
    private readonly HistogramCell? _requestBytes;
    private readonly HistogramCell? _responseBytes;
    private readonly CounterCell? _requestMessages;
    private readonly CounterCell? _responseMessages;
    private readonly MetricCell[] _custom;

    public RequestCells(StatsPlan plan, string[] standard, string[]? expressed, bool isGrpc)
    {
        _plan = plan;
        _requests = plan[IstioMetric.Requests]?.Cell<CounterCell>(standard, expressed);
        _duration = plan[IstioMetric.RequestDuration]?.Cell<HistogramCell>(standard, expressed);
        _requestBytes = plan[IstioMetric.RequestBytes]?.Cell<HistogramCell>(standard, expressed);
        _responseBytes = plan[IstioMetric.ResponseBytes]?.Cell<HistogramCell>(standard, expressed);
        if (isGrpc)
        {
            _requestMessages = plan[IstioMetric.RequestMessages]?.Cell<CounterCell>(standard, expressed);
            _responseMessages = plan[IstioMetric.ResponseMessages]?.Cell<CounterCell>(standard, expressed);
        }

        _custom = CustomCells.Bind(plan, standard, expressed);
    }

    /// <summary>Counts a request that is over.</summary>
    public void Record(RequestRecord record)
    {
        var stripe = Stripes.Here;
        _requests?.Add(1, stripe);
        _duration?.Record(record.Duration.TotalMilliseconds, record.Span, record.Time, stripe);
        _requestBytes?.Record(record.RequestBytes, record.Span, record.Time, stripe);
        _responseBytes?.Record(record.ResponseBytes, record.Span, record.Time, stripe);
        _requestMessages?.Add(record.RequestMessages, stripe);
        _responseMessages?.Add(record.ResponseMessages, stripe);
        if (_custom.Length > 0)
        {
            CustomCells.Record(_plan, _custom, record.Format);
        }
    }

    /// <summary>Takes the label set away.</summary>
    public void Remove()
    {
        Remove(IstioMetric.Requests, _requests);
        Remove(IstioMetric.RequestDuration, _duration);
        Remove(IstioMetric.RequestBytes, _requestBytes);
        Remove(IstioMetric.ResponseBytes, _responseBytes);
        Remove(IstioMetric.RequestMessages, _requestMessages);
        Remove(IstioMetric.ResponseMessages, _responseMessages);
        CustomCells.Remove(_plan, _custom);
    }

    private void Remove<TCell>(IstioMetric metric, TCell? cell)
        where TCell : MetricCell
    {
        if (cell is not null)
        {
            ((CellFamily<TCell>)_plan[metric]!.Family).Remove(cell.Values);
        }
    }
}
