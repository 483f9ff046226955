namespace Mesh.ControlPlane.Load;

/// <summary>Numbers a second.</summary>
/// <param name="Requests">Requests as callers saw them; of clients that tell only attempts, those.</param>
/// <param name="Errors">Of them those that failed: 500 and more, or a status of gRPC that is not OK; of clients that tell only attempts, what they call an error.</param>
internal sealed record LoadRates(double Requests, double Errors)
{
    /// <summary>Requests by the class of their status: <c>2xx</c>, <c>3xx</c>, <c>4xx</c>, <c>5xx</c>, and <c>0</c> for callers that have left; empty when clients do not tell.</summary>
    public IReadOnlyDictionary<string, double> ByStatus { get; init; } = new Dictionary<string, double>();

    /// <summary>How long a request takes in the mean, in milliseconds; <see langword="null"/> when clients do not tell.</summary>
    public double? MeanMilliseconds { get; init; }

    /// <summary>Attempts that were sent, retries and copies included.</summary>
    public double Attempts { get; init; }

    /// <summary>Attempts that failed.</summary>
    public double FailedAttempts { get; init; }

    /// <summary>Attempts under way at the last report.</summary>
    public double InProgress { get; init; }

    public double NewConnections { get; init; }

    public double FailedConnections { get; init; }

    /// <summary>Connections open at the last report.</summary>
    public double ActiveConnections { get; init; }

    /// <summary>Bytes of connections that carry no requests.</summary>
    public double BytesSent { get; init; }

    public double BytesReceived { get; init; }

    /// <summary>The share of requests that failed, of 1.</summary>
    public double ErrorShare => Requests > 0 ? Errors / Requests : 0;

    /// <param name="perSecond">Sums of one second.</param>
    /// <param name="inProgress">Attempts under way.</param>
    /// <param name="activeConnections">Connections open.</param>
    public static LoadRates Of(LoadSums perSecond, double inProgress, double activeConnections)
    {
        (LoadValue Value, string Name)[] classes =
        [
            (LoadValue.Requests2xx, "2xx"), (LoadValue.Requests3xx, "3xx"), (LoadValue.Requests4xx, "4xx"), (LoadValue.Requests5xx, "5xx"), (LoadValue.RequestsWithoutStatus, "0"),
        ];
        var told = classes.Sum(c => perSecond[c.Value]);
        return new LoadRates(perSecond.Requests, perSecond.Errors)
        {
            ByStatus = classes.Where(c => perSecond[c.Value] > 0).ToDictionary(c => c.Name, c => perSecond[c.Value], StringComparer.Ordinal),
            MeanMilliseconds = told > 0 ? perSecond[LoadValue.DurationMicroseconds] / 1_000 / told : null,
            Attempts = perSecond[LoadValue.Issued],
            FailedAttempts = perSecond[LoadValue.Failed],
            InProgress = inProgress,
            NewConnections = perSecond[LoadValue.NewConnections],
            FailedConnections = perSecond[LoadValue.FailedConnections],
            ActiveConnections = activeConnections,
            BytesSent = perSecond[LoadValue.BytesSent],
            BytesReceived = perSecond[LoadValue.BytesReceived],
        };
    }
}
