using Mesh.DataPlane.Formatting;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>The cells of one label set of connections. A metric that is dropped has none.</summary>
internal sealed class ConnectionCells(StatsPlan plan, string[] standard, string[]? expressed)
{
    private readonly CounterCell? _opened = plan[IstioMetric.TcpConnectionsOpened]?.Cell<CounterCell>(standard, expressed);
    private readonly CounterCell? _closed = plan[IstioMetric.TcpConnectionsClosed]?.Cell<CounterCell>(standard, expressed);
    private readonly CounterCell? _sent = plan[IstioMetric.TcpSentBytes]?.Cell<CounterCell>(standard, expressed);
    private readonly CounterCell? _received = plan[IstioMetric.TcpReceivedBytes]?.Cell<CounterCell>(standard, expressed);
    private readonly MetricCell[] _custom = CustomCells.Bind(plan, standard, expressed);

    /// <summary>A connection has begun.</summary>
    public void Open() => _opened?.Increment();

    /// <summary>A connection is over.</summary>
    public void Close(in FormatContext context)
    {
        _closed?.Increment();
        if (_custom.Length > 0)
        {
            CustomCells.Record(plan, _custom, context);
        }
    }

    /// <summary>So much has gone by since the last time.</summary>
    public void Carry(long sent, long received)
    {
        _sent?.Add(sent);
        _received?.Add(received);
    }

    /// <summary>Takes the label set away.</summary>
    public void Remove()
    {
        Remove(IstioMetric.TcpConnectionsOpened, _opened);
        Remove(IstioMetric.TcpConnectionsClosed, _closed);
        Remove(IstioMetric.TcpSentBytes, _sent);
        Remove(IstioMetric.TcpReceivedBytes, _received);
        CustomCells.Remove(plan, _custom);
    }

    private void Remove(IstioMetric metric, CounterCell? cell)
    {
        if (cell is not null)
        {
            ((CounterFamily)plan[metric]!.Family).Remove(cell.Values);
        }
    }
}
