using System.Globalization;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tests;

namespace Mesh.Benchmarks;

/// <summary>
/// Side by side in one run: a raw HttpClient; one with a hand-written Polly pipeline (timeout, retry, circuit breaker, timeout a try); and one with
/// the mesh, whose route has a timeout, a per-try timeout and Istio's default retries, and whose cluster has outlier detection, circuit breakers and
/// least request among three endpoints. Slices raw/Polly/raw/mesh/raw; each is set against the raw ones beside it.
/// </summary>
internal static class ResilienceComparison
{
    public static async Task<int> RunAsync(string[] args)
    {
        var slices = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        var slice = TimeSpan.FromMilliseconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 500);
        var (server, ports) = await SocketLoad.StartServerAsync(3);
        await using var running = server;

        await using var engine = BenchmarkMesh.Create([Route()], Cluster(), host => host.IncludeRequestAttemptCount = true, ports);
        using var raw = SocketCaller.Raw(ports);
        using var polly = PollyHandler.Caller(ports);
        using var mesh = BenchmarkMesh.Caller(engine);
        await SocketLoad.WarmUpAsync(slice, raw, polly, mesh);

        var figures = new Dictionary<string, Figures> { ["Polly"] = new(), ["mesh"] = new() };
        var rawContentions = 0L;
        var rawRequests = 0L;
        var before = await SocketLoad.MeasureAsync(raw, slice);
        for (var i = 0; i < slices * 2; i++)
        {
            var (name, client) = i % 2 == 0 ? ("Polly", polly) : ("mesh", mesh);
            var between = await SocketLoad.MeasureAsync(client, slice);
            var after = await SocketLoad.MeasureAsync(raw, slice);
            figures[name].Add(between, before, after);
            rawContentions += after.Contentions;
            rawRequests += after.Requests;
            before = after;
        }

        Console.WriteLine($"{slices} slices of {slice.TotalMilliseconds} ms each, {SocketLoad.Callers} callers, 1 KB answers, HTTP/1.1 on loopback");
        foreach (var (name, figure) in figures)
        {
            figure.Print(name);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lock contentions in 100,000 requests: raw {rawContentions * 100_000.0 / rawRequests:0.0}"));
        return 0;
    }

    public static Route Route()
    {
        var route = Resources.Prefix("/", "cluster");
        route.Route_.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(15));
        route.Route_.RetryPolicy = new RetryPolicy
        {
            RetryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
            NumRetries = 2,
            PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
            RetryHostPredicate = { new RetryPolicy.Types.RetryHostPredicate { Name = "envoy.retry_host_predicates.previous_hosts" } },
            HostSelectionRetryMaxAttempts = 5,
        };
        return route;
    }

    public static Cluster Cluster()
    {
        var cluster = Resources.Cluster("cluster", Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.LeastRequest);
        cluster.OutlierDetection = new OutlierDetection { Consecutive5Xx = 5, EnforcingConsecutive5Xx = 100, EnforcingSuccessRate = 0, MaxEjectionPercent = 100 };
        cluster.CircuitBreakers = new CircuitBreakers
        {
            Thresholds = { new CircuitBreakers.Types.Thresholds { MaxConnections = 1000, MaxPendingRequests = 1000, MaxRequests = 1000, MaxRetries = 10 } },
        };
        return cluster;
    }

    private sealed class Figures
    {
        private readonly List<double> _throughput = [];
        private readonly List<double> _cpu = [];
        private readonly List<double> _bytes = [];
        private long _contentions;
        private long _requests;

        public void Add(SocketSlice between, SocketSlice before, SocketSlice after)
        {
            _throughput.Add(between.PerSecond / ((before.PerSecond + after.PerSecond) / 2));
            _cpu.Add(between.CpuMicroseconds / ((before.CpuMicroseconds + after.CpuMicroseconds) / 2));
            _bytes.Add(between.Bytes - ((before.Bytes + after.Bytes) / 2));
            _contentions += between.Contentions;
            _requests += between.Requests;
        }

        public void Print(string name)
        {
            SocketLoad.Print($"throughput, {name} ÷ raw", _throughput, "0.000");
            SocketLoad.Print($"CPU time a request, {name} ÷ raw", _cpu, "0.000");
            SocketLoad.Print($"allocated a request, {name} − raw (bytes)", _bytes, "0");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lock contentions in 100,000 requests: {name} {_contentions * 100_000.0 / _requests:0.0}"));
        }
    }
}
