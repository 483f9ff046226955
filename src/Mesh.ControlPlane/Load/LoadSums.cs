using Envoy.Config.Endpoint.V3;
using Google.Protobuf.Collections;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Load;

/// <summary>Sums over reports.</summary>
internal sealed class LoadSums
{
    private const int Width = (int)LoadValue.BytesReceived + 1;

    private readonly double[] _values = new double[Width];

    public double this[LoadValue value] => _values[(int)value];

    /// <summary>Requests as callers saw them; of clients that tell attempts only, those that have come to an end.</summary>
    public double Requests
        => this[LoadValue.Requests2xx] + this[LoadValue.Requests3xx] + this[LoadValue.Requests4xx] + this[LoadValue.Requests5xx] + this[LoadValue.RequestsWithoutStatus] is > 0 and var told
            ? told
            : this[LoadValue.Succeeded] + this[LoadValue.Failed];

    /// <summary>Of them those that failed: by a status of 500 and more or one of gRPC, or, where only attempts are told, by what the client calls an error.</summary>
    public double Errors
        => TellsRequests ? this[LoadValue.Requests5xx] + this[LoadValue.GrpcErrors] : this[LoadValue.Failed];

    private bool TellsRequests
        => this[LoadValue.Requests2xx] + this[LoadValue.Requests3xx] + this[LoadValue.Requests4xx] + this[LoadValue.Requests5xx] + this[LoadValue.RequestsWithoutStatus] > 0;

    /// <summary>Whether there is anything at all.</summary>
    public bool HasAny => _values.AsSpan().ContainsAnyExcept(0);

    public static LoadSums Of(UpstreamLocalityStats stats)
    {
        var sums = new LoadSums();
        sums.Set(LoadValue.Issued, stats.TotalIssuedRequests);
        sums.Set(LoadValue.Succeeded, stats.TotalSuccessfulRequests);
        sums.Set(LoadValue.Failed, stats.TotalErrorRequests);
        sums.Set(LoadValue.NewConnections, stats.TotalNewConnections);
        sums.Set(LoadValue.FailedConnections, stats.TotalFailConnections);
        sums.Set(stats.LoadMetricStats);
        return sums;
    }

    public static LoadSums Of(UpstreamEndpointStats stats)
    {
        var sums = new LoadSums();
        sums.Set(LoadValue.Issued, stats.TotalIssuedRequests);
        sums.Set(LoadValue.Succeeded, stats.TotalSuccessfulRequests);
        sums.Set(LoadValue.Failed, stats.TotalErrorRequests);
        sums.Set(stats.LoadMetricStats);
        return sums;
    }

    /// <param name="other">What is added.</param>
    /// <param name="times">How many times.</param>
    public void Add(LoadSums other, double times = 1)
    {
        for (var i = 0; i < Width; i++)
        {
            _values[i] += other._values[i] * times;
        }
    }

    private void Set(RepeatedField<EndpointLoadMetricStats> metrics)
    {
        foreach (var metric in metrics)
        {
            if (!metric.MetricName.StartsWith(LoadReportingMethods.OwnMetrics, StringComparison.Ordinal))
            {
                continue;
            }

            switch (metric.MetricName.AsSpan(LoadReportingMethods.OwnMetrics.Length))
            {
                case "requests_2xx":
                    Set(LoadValue.Requests2xx, metric.TotalMetricValue);
                    break;
                case "requests_3xx":
                    Set(LoadValue.Requests3xx, metric.TotalMetricValue);
                    break;
                case "requests_4xx":
                    Set(LoadValue.Requests4xx, metric.TotalMetricValue);
                    break;
                case "requests_5xx":
                    Set(LoadValue.Requests5xx, metric.TotalMetricValue);
                    break;
                case "requests_0":
                    Set(LoadValue.RequestsWithoutStatus, metric.TotalMetricValue);
                    break;
                case "grpc_errors":
                    Set(LoadValue.GrpcErrors, metric.TotalMetricValue);
                    break;
                case "request_duration_ms":
                    Set(LoadValue.DurationMicroseconds, metric.TotalMetricValue * 1_000);
                    break;
                case "tcp_sent_bytes":
                    Set(LoadValue.BytesSent, metric.TotalMetricValue);
                    break;
                case "tcp_received_bytes":
                    Set(LoadValue.BytesReceived, metric.TotalMetricValue);
                    break;
            }
        }
    }

    // Who reports nonsense has reported nothing.
    private void Set(LoadValue value, double number) => _values[(int)value] = double.IsFinite(number) && number is > 0 and < 1e15 ? number : 0;
}
