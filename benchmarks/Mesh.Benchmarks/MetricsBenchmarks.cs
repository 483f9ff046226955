using System.Diagnostics;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tests.Filters.Rbac;
using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Mesh.Xds.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Mesh.Benchmarks;

/// <summary>
/// All recordings of one request, by its client and by its server: with nobody listening, and with OpenTelemetry listening, against an instrumentation by
/// hand that records the same four instruments with the same labels.
/// </summary>
[MemoryDiagnoser]
public class MetricsBenchmarks
{
    private const int Requests = 1_000;

    private readonly ServiceNames _service = new("reviews.default.svc.cluster.local", "reviews", "default");
    private readonly Endpoint _reviews = MeasuredListener.ReviewsV3(new Principals("spiffe://cluster.local/ns/default/sa/productpage", "spiffe://cluster.local/ns/default/sa/reviews"));
    private readonly ConnectionFacts _connection = RbacCorpus.Connect();
    private MeterBridge? _bridge;
    private MeterProvider? _provider;
    private RequestSignals _client = null!;
    private RequestSignals _server = null!;
    private RequestSignals _clientAgain = null!;
    private RequestSignals _serverAgain = null!;
    private HandMadeInstruments _byHand = null!;

    [GlobalSetup(Targets = [nameof(Nobody_listens), nameof(Nobody_listens_with_records)])]
    public void Setup()
    {
        var registry = new MetricRegistry();
        var metrics = new IstioMetrics(registry, MeasuredListener.Local, TimeProvider.System);
        _bridge = new MeterBridge(registry);
        var client = metrics.Requests(StatsSettings.Of(Reporter.Source), Reporter.Source, null);
        var server = metrics.Requests(StatsSettings.Of(Reporter.Destination), Reporter.Destination, _service);
        _client = new RequestSignals(Reporter.Source, [client], null, TimeProvider.System);
        _server = new RequestSignals(Reporter.Destination, [server], null, TimeProvider.System);
        _clientAgain = new RequestSignals(Reporter.Source, [new AgainSink(client)], null, TimeProvider.System);
        _serverAgain = new RequestSignals(Reporter.Destination, [new AgainSink(server)], null, TimeProvider.System);
    }

    [GlobalSetup(Target = nameof(OpenTelemetry_listens))]
    public void SetupListening()
    {
        Setup();
        _provider = Listen(MeterBridge.MeterName);
    }

    [GlobalSetup(Target = nameof(OpenTelemetry_by_hand))]
    public void SetupByHand()
    {
        _byHand = new HandMadeInstruments();
        _provider = Listen(HandMadeInstruments.MeterName);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _provider?.Dispose();
        _bridge?.Dispose();
    }

    /// <summary>The recordings alone.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void Nobody_listens() => Request(_clientAgain, _serverAgain);

    /// <summary>With a record at each end, from its beginning to its end.</summary>
    [Benchmark]
    public void Nobody_listens_with_records() => Request(_client, _server);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void OpenTelemetry_listens() => Request(_clientAgain, _serverAgain);

    [Benchmark(Baseline = true)]
    public void OpenTelemetry_by_hand()
    {
        _byHand.Record("source");
        _byHand.Record("destination");
    }

    private void Request(RequestSignals client, RequestSignals server)
    {
        var sent = RequestRecord.Rent(client);
        (sent.Endpoint, sent.Cluster, sent.ClusterName, sent.ResponseBytes, sent.Status) = (_reviews, MeasuredListener.Reviews, MeasuredListener.Reviews.Name, 1024, 200);
        sent.Begin();
        var served = RequestRecord.Rent(server);
        (served.Peer, served.Connection, served.ClusterName, served.ResponseBytes, served.Status) = (MeasuredListener.Local, _connection, "inbound|9080||", 1024, 200);
        served.Begin();
        served.Release();
        sent.Release();
    }

    private static MeterProvider Listen(string meter)
        => Sdk.CreateMeterProviderBuilder().AddMeter(meter).AddReader(new BaseExportingMetricReader(new NowhereExporter())).Build();

    /// <summary>Counts one request as often as it takes to see what that alone costs.</summary>
    private sealed class AgainSink(RequestSink inner) : RequestSink
    {
        public override void OnEnd(RequestRecord record)
        {
            for (var i = 0; i < Requests; i++)
            {
                inner.OnEnd(record);
            }
        }
    }

    private sealed class NowhereExporter : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }

    /// <summary>What somebody would write who wants Istio's metrics of a request without the mesh.</summary>
    private sealed class HandMadeInstruments
    {
        public const string MeterName = "by hand";

        private readonly Counter<long> _requests;
        private readonly Histogram<double> _duration;
        private readonly Histogram<double> _requestBytes;
        private readonly Histogram<double> _responseBytes;
        private readonly long _began = Stopwatch.GetTimestamp();

        public HandMadeInstruments()
        {
            var meter = new Meter(MeterName);
            var buckets = new InstrumentAdvice<double> { HistogramBucketBoundaries = IstioStandard.Buckets };
            _requests = meter.CreateCounter<long>("istio_requests_total");
            _duration = meter.CreateHistogram("istio_request_duration_milliseconds", "ms", null, null, buckets);
            _requestBytes = meter.CreateHistogram("istio_request_bytes", "By", null, null, buckets);
            _responseBytes = meter.CreateHistogram("istio_response_bytes", "By", null, null, buckets);
        }

        public void Record(string reporter)
        {
            var tags = new TagList
            {
                { "reporter", reporter },
                { "source_workload", "productpage-v1" },
                { "source_canonical_service", "productpage" },
                { "source_canonical_revision", "v1" },
                { "source_workload_namespace", "default" },
                { "source_principal", "spiffe://cluster.local/ns/default/sa/productpage" },
                { "source_app", "productpage" },
                { "source_version", "v1" },
                { "source_cluster", "Kubernetes" },
                { "destination_workload", "reviews-v3" },
                { "destination_workload_namespace", "default" },
                { "destination_principal", "spiffe://cluster.local/ns/default/sa/reviews" },
                { "destination_app", "reviews" },
                { "destination_version", "v3" },
                { "destination_service", "reviews.default.svc.cluster.local" },
                { "destination_service_name", "reviews" },
                { "destination_service_namespace", "default" },
                { "destination_canonical_service", "reviews" },
                { "destination_canonical_revision", "v3" },
                { "destination_cluster", "Kubernetes" },
                { "request_protocol", "http" },
                { "response_code", "200" },
                { "grpc_response_status", "" },
                { "response_flags", "-" },
                { "connection_security_policy", "mutual_tls" },
            };
            _requests.Add(1, tags);
            _duration.Record(Stopwatch.GetElapsedTime(_began).TotalMilliseconds, tags);
            _requestBytes.Record(0, tags);
            _responseBytes.Record(1024, tags);
        }
    }
}
