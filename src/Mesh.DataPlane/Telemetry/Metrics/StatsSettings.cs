using Mesh.DataPlane.Expressions;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>What the filter <c>istio.stats</c> says of a listener's metrics (<c>stats.PluginConfig</c>).</summary>
internal sealed record StatsSettings
{
    /// <summary>The message itself, by which it is seen that two say the same; empty where there is none.</summary>
    public string Identity { get; init; } = "";

    /// <summary>What is changed of the standard metrics, in its order.</summary>
    public IReadOnlyList<MetricChange> Changes { get; init; } = [];

    /// <summary>Metrics of the operator's own.</summary>
    public IReadOnlyList<CustomMetric> Definitions { get; init; } = [];

    /// <summary>A service that the mesh does not know is <c>unknown</c>, instead of being called by the <c>Host</c> header.</summary>
    public bool DisableHostHeaderFallback { get; init; }

    /// <summary>How often an open connection's bytes are counted; Istio's default is 5 seconds. Zero is only at the end.</summary>
    public TimeSpan TcpReportingDuration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Label sets that nobody has counted in for so long are taken away; zero is never.</summary>
    public TimeSpan RotationInterval { get; init; }

    /// <summary>How much longer they stay, so that they are scraped once more; Istio's default is 5 minutes.</summary>
    public TimeSpan GracefulDeletionInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What holds where there is no filter. A server's callers choose the <c>Host</c> header, and do not name its service by it.</summary>
    public static StatsSettings Of(Reporter reporter) => reporter == Reporter.Source ? Client : Server;

    private static StatsSettings Client { get; } = new();

    private static StatsSettings Server { get; } = new() { DisableHostHeaderFallback = true };

    /// <summary>One entry of <c>metrics</c>.</summary>
    /// <param name="Name">Without <c>istio_</c>; empty for all.</param>
    /// <param name="IsDropped">It is not counted at all.</param>
    /// <param name="Removed">Labels that are left out.</param>
    /// <param name="Dimensions">Labels that get another value, or are added; one whose expression could not be read has none, and is left out.</param>
    internal sealed record MetricChange(string Name, bool IsDropped, IReadOnlyList<string> Removed, IReadOnlyList<(string Label, CelExpression? Value)> Dimensions);

    /// <summary>One entry of <c>definitions</c>.</summary>
    /// <param name="Name">Without <c>istio_</c>.</param>
    /// <param name="Type">What its numbers mean.</param>
    /// <param name="Value">What is counted with each request.</param>
    internal sealed record CustomMetric(string Name, MetricType Type, CelExpression Value);
}
