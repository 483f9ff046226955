namespace Mesh.Xds.Metrics;

/// <summary>What a metric's numbers mean.</summary>
internal enum MetricType
{
    /// <summary>Only grows while the process lives.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Values counted by size.</summary>
    Histogram,
}
