using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.DataPlane.Dns;
using Mesh.Xds.Ads;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>The load of the endpoints of one locality and priority since the last report, as LRS says it.</summary>
internal sealed class LocalityLoad(string locality, uint priority)
{
    private static readonly (LoadCount Count, string Name)[] _ownCounts =
    [
        (LoadCount.Requests2xx, LoadReportingMethods.OwnMetrics + "requests_2xx"),
        (LoadCount.Requests3xx, LoadReportingMethods.OwnMetrics + "requests_3xx"),
        (LoadCount.Requests4xx, LoadReportingMethods.OwnMetrics + "requests_4xx"),
        (LoadCount.Requests5xx, LoadReportingMethods.OwnMetrics + "requests_5xx"),
        (LoadCount.RequestsWithoutStatus, LoadReportingMethods.OwnMetrics + "requests_0"),
        (LoadCount.GrpcErrors, LoadReportingMethods.OwnMetrics + "grpc_errors"),
        (LoadCount.BytesSent, LoadReportingMethods.OwnMetrics + "tcp_sent_bytes"),
        (LoadCount.BytesReceived, LoadReportingMethods.OwnMetrics + "tcp_received_bytes"),
    ];

    private readonly long[] _sums = new long[EndpointLoad.Width];
    private readonly Dictionary<string, (long Count, double Total)> _metrics = new(StringComparer.Ordinal);
    private readonly List<UpstreamEndpointStats> _endpoints = [];
    private long _inProgress;
    private long _active;

    /// <summary>Whether there is anything to tell.</summary>
    public bool HasAny => _inProgress > 0 || _active > 0 || _metrics.Count > 0 || _sums.AsSpan().ContainsAnyExcept(0);

    /// <summary>Adds an endpoint.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="numbers">Its numbers now.</param>
    /// <param name="before">Those that have been told; <see langword="null"/> for none.</param>
    /// <param name="metrics">What it has said of itself since.</param>
    /// <param name="isOwn">The server is Mesh's own.</param>
    /// <param name="byEndpoint">The server wants each endpoint by itself, too.</param>
    public void Add(
        EndpointLoad endpoint, long[] numbers, long[]? before, IReadOnlyList<(string Name, long Count, double Total)> metrics, bool isOwn, bool byEndpoint)
    {
        var since = new long[EndpointLoad.Width];
        for (var i = 0; i < since.Length; i++)
        {
            since[i] = numbers[i] - (before?[i] ?? 0);
            _sums[i] += since[i];
        }

        var inProgress = EndpointLoad.InProgress(numbers);
        _inProgress += inProgress;
        _active += Math.Max(0, numbers[(int)LoadCount.Connections] - numbers[(int)LoadCount.ConnectionsClosed]);
        foreach (var (name, count, total) in metrics)
        {
            var sum = _metrics.GetValueOrDefault(name);
            _metrics[name] = (sum.Count + count, sum.Total + total);
        }

        if (!byEndpoint || endpoint.Address is null || (inProgress == 0 && metrics.Count == 0 && !since.AsSpan().ContainsAnyExcept(0)))
        {
            return;
        }

        var stats = new UpstreamEndpointStats
        {
            Address = AddressOf(LogicalHost.AddressOf(endpoint.Address)),
            TotalIssuedRequests = (ulong)since[(int)LoadCount.Issued],
            TotalSuccessfulRequests = (ulong)since[(int)LoadCount.Succeeded],
            TotalErrorRequests = (ulong)since[(int)LoadCount.Failed],
            TotalRequestsInProgress = (ulong)inProgress,
        };
        stats.LoadMetricStats.AddRange(metrics.Select(m => Metric(m.Name, m.Count, m.Total)));
        if (isOwn)
        {
            stats.LoadMetricStats.AddRange(OwnMetrics(since));
        }

        _endpoints.Add(stats);
    }

    public UpstreamLocalityStats ToMessage(bool isOwn)
    {
        var parts = locality.Split('/', 3);
        var stats = new UpstreamLocalityStats
        {
            Locality = new Locality { Region = parts[0], Zone = parts.ElementAtOrDefault(1) ?? "", SubZone = parts.ElementAtOrDefault(2) ?? "" },
            Priority = priority,
            TotalIssuedRequests = (ulong)_sums[(int)LoadCount.Issued],
            TotalSuccessfulRequests = (ulong)_sums[(int)LoadCount.Succeeded],
            TotalErrorRequests = (ulong)_sums[(int)LoadCount.Failed],
            TotalRequestsInProgress = (ulong)_inProgress,
            TotalActiveConnections = (ulong)_active,
            TotalNewConnections = (ulong)_sums[(int)LoadCount.Connections],
            TotalFailConnections = (ulong)_sums[(int)LoadCount.ConnectFailures],
        };
        foreach (var (name, sum) in _metrics)
        {
            var unnamed = new UnnamedEndpointLoadMetricStats { NumRequestsFinishedWithMetric = (ulong)sum.Count, TotalMetricValue = sum.Total };
            switch (name)
            {
                case OrcaLoad.Cpu:
                    stats.CpuUtilization = unnamed;
                    break;
                case OrcaLoad.Memory:
                    stats.MemUtilization = unnamed;
                    break;
                case OrcaLoad.Application:
                    stats.ApplicationUtilization = unnamed;
                    break;
                default:
                    stats.LoadMetricStats.Add(Metric(name, sum.Count, sum.Total));
                    break;
            }
        }

        if (isOwn)
        {
            stats.LoadMetricStats.AddRange(OwnMetrics(_sums));
        }

        stats.UpstreamEndpointStats.AddRange(_endpoints);
        return stats;
    }

    // A count of requests, and a sum over them, are both what a metric of LRS is: in how many requests it stood, and to what it adds up.
    private static IEnumerable<EndpointLoadMetricStats> OwnMetrics(long[] numbers)
    {
        var requests = 0L;
        foreach (var (count, name) in _ownCounts)
        {
            var value = numbers[(int)count];
            if (value > 0)
            {
                yield return Metric(name, value, value);
            }

            requests += count is >= LoadCount.Requests2xx and <= LoadCount.RequestsWithoutStatus ? value : 0;
        }

        if (requests > 0)
        {
            yield return Metric(LoadReportingMethods.OwnMetrics + "request_duration_ms", requests, numbers[(int)LoadCount.RequestMicroseconds] / 1_000.0);
        }
    }

    private static EndpointLoadMetricStats Metric(string name, long count, double total)
        => new() { MetricName = name, NumRequestsFinishedWithMetric = (ulong)count, TotalMetricValue = total };

    private static Address AddressOf(EndPoint address)
        => address switch
        {
            IPEndPoint ip => new Address { SocketAddress = new SocketAddress { Address = ip.Address.ToString(), PortValue = (uint)ip.Port } },
            DnsEndPoint dns => new Address { SocketAddress = new SocketAddress { Address = dns.Host, PortValue = (uint)dns.Port } },
            UnixDomainSocketEndPoint path => new Address { Pipe = new Pipe { Path = path.ToString()! } },
            _ => new Address { SocketAddress = new SocketAddress { Address = address.ToString() ?? "", PortValue = 0 } },
        };
}
