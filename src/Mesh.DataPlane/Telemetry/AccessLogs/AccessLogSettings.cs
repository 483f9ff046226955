namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>One access log of a listener: what is logged, and where.</summary>
/// <param name="Filter">Which requests; <see langword="null"/> for all.</param>
/// <param name="Logger">Where to, and how.</param>
internal sealed record AccessLogSettings(AccessLogFilter? Filter, AccessLoggerSettings Logger)
{
    /// <summary>The logs of a chain's connections: its own, and those of its listener that may have one of them.</summary>
    public static IReadOnlyList<AccessLogSettings> OfChain(IReadOnlyList<AccessLogSettings> chain, IReadOnlyList<AccessLogSettings> listener)
        => [.. chain, .. listener.Where(log => log.Filter?.IsForUnmatched != true)];
}
