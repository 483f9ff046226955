namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>The access logs of one listener.</summary>
internal sealed class AccessLogSink : RequestSink
{
    private readonly (AccessLogFilter? Filter, AccessLogger Logger)[] _logs;
    private readonly CapturedHeaders? _captured;
    private readonly IRandomSource _random;

    /// <param name="logs">Which requests are logged, and where.</param>
    /// <param name="requestHeaders">The headers that the logs tell of and that have to be read when a request begins; <see langword="null"/> where they can be read at its end.</param>
    /// <param name="random">Chance, for shares of requests.</param>
    public AccessLogSink((AccessLogFilter? Filter, AccessLogger Logger)[] logs, IEnumerable<string>? requestHeaders, IRandomSource random)
    {
        _logs = logs;
        _captured = requestHeaders is null ? null : new CapturedHeaders(requestHeaders);
        _random = random;
    }

    public override bool ReadsMetadata => true;

    public override void OnBegin(RequestRecord record) => _captured?.Capture(record);

    public override void OnEnd(RequestRecord record)
    {
        _captured?.Complete(record);
        var context = _captured is null ? record.Format : record.FormatWith(_captured, record.Captured);
        foreach (var (filter, logger) in _logs)
        {
            if (filter?.Matches(context, _random) != false)
            {
                logger.Log(context);
            }
        }
    }
}
