using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Counts what becomes of the requests that come in by one connection manager; every thread for itself.</summary>
internal sealed class DownstreamRequestSink : RequestSink
{
    private const int Came = 0;
    private const int Ended = 1;
    private const int Versions = 1;
    private const int Classes = 5;

    private Stripes _counts = new(Classes + 6);

    /// <summary><c>downstream_rq_total</c>.</summary>
    public long Begun => _counts.Sum(Came);

    /// <summary><c>downstream_rq_completed</c>.</summary>
    public long Completed => OfClass(1) + OfClass(2) + OfClass(3) + OfClass(4) + OfClass(5);

    /// <summary><c>downstream_rq_active</c>.</summary>
    public long Active
    {
        get
        {
            // In this order, so that one that ends meanwhile makes it too many for a moment and never less than nothing.
            var ended = _counts.Sum(Ended);
            return Begun - ended;
        }
    }

    /// <summary><c>downstream_rq_http1_total</c> and its like.</summary>
    /// <param name="major">From 1 to 3.</param>
    public long OfVersion(int major) => _counts.Sum(Versions + major);

    /// <summary><c>downstream_rq_2xx</c> and its like.</summary>
    /// <param name="class">From 1 to 5.</param>
    public long OfClass(int @class) => _counts.Sum(Classes + @class);

    public override void OnBegin(RequestRecord record) => Begin(record, Stripes.Here);

    public override void OnEnd(RequestRecord record)
    {
        var stripe = Stripes.Here;
        if (!record.HasBegun)
        {
            // It was refused before anybody had looked at it.
            Begin(record, stripe);
        }

        _counts.Add(Ended, 1, stripe);
        if (record.Status is >= 100 and < 600 and var status)
        {
            _counts.Add(Classes + (status / 100), 1, stripe);
        }
    }

    private void Begin(RequestRecord record, int stripe)
    {
        _counts.Add(Came, 1, stripe);
        if (record.Protocol is { Major: >= 1 and <= 3 and var major })
        {
            _counts.Add(Versions + major, 1, stripe);
        }
    }
}
