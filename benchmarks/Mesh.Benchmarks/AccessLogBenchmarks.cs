using System.Net;
using BenchmarkDotNet.Attributes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using IstioFormats = Mesh.ControlPlane.Generators.Signals.AccessLogFormats;

namespace Mesh.Benchmarks;

/// <summary>One request's access log, from the record's beginning to its line in the buffer that goes to the file, and that buffer's way out.</summary>
[MemoryDiagnoser]
public class AccessLogBenchmarks
{
    private readonly HttpRequestMessage _request = new(HttpMethod.Get, "http://reviews:9080/reviews/0?user=jason");
    private readonly HttpResponseMessage _response = new(HttpStatusCode.OK) { Content = new ByteArrayContent(new byte[1024]) };
    private RequestSignals _signals = null!;
    private StreamOutput _output = null!;
    private Endpoint _endpoint = null!;

    [Params("none", "envoy", "istio", "json")]
    public string Format { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _request.Headers.TryAddWithoutValidation("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
        _request.Headers.TryAddWithoutValidation("x-request-id", "cd30da12-ee24-9429-b188-2d494017c083");
        _response.Headers.Add("x-envoy-upstream-service-time", "106");
        var resource = new EndpointResource(new IPEndPoint(IPAddress.Parse("172.17.0.8"), 8080), "", 1, EndpointHealth.Healthy, new Dictionary<string, string>());
        _endpoint = new Endpoint(resource, "", 0, new EndpointState(() => throw new InvalidOperationException()));
        _output = new StreamOutput(
            "/dev/null", () => Stream.Null, new LogQueueSettings(TimeSpan.FromSeconds(1), 64 * 1024, 8 * 1024 * 1024), new AccessLogCounts(new MetricRegistry(), "benchmark", ""), TimeProvider.System, NullLogger.Instance);
        var format = Format switch
        {
            "istio" => new AccessLogFormat(SubstitutionFormat.Parse(IstioFormats.IstioText, omitEmptyValues: false)),
            "json" => new AccessLogFormat(JsonFormat.Parse(IstioFormats.IstioJson, omitEmptyValues: false)),
            _ => AccessLogFormat.Default,
        };
        RequestSink[] sinks = Format == "none" ? [new Nobody()] : [new AccessLogSink([(null, new LineLogger(format, _output))], format.RequestHeaders, SystemRandomSource.Instance)];
        _signals = new RequestSignals(Reporter.Source, sinks, null, TimeProvider.System);
    }

    [GlobalCleanup]
    public async Task CleanupAsync() => await _output.DisposeAsync();

    [Benchmark]
    public void Request()
    {
        var record = RequestRecord.Rent(_signals);
        record.Request = _request;
        record.RequestHeaders = HttpRequestHeaderReader.Instance;
        (record.Method, record.Path, record.Authority, record.Scheme, record.Protocol) = ("GET", "/reviews/0?user=jason", "reviews:9080", "http", HttpVersion.Version11);
        record.RequestId = "cd30da12-ee24-9429-b188-2d494017c083";
        record.Begin();
        record.UpstreamBegan = record.RequestEnded = record.ResponseBegan = record.Time.GetTimestamp();
        (record.Status, record.Details, record.ResponseBytes, record.Attempts) = (200, "via_upstream", 1024, 1);
        (record.Response, record.ResponseHeaders, record.ResponseTrailers) = (_response, HttpResponseHeaderReader.Instance, HttpResponseHeaderReader.Trailers);
        record.UpstreamProtocol = HttpVersion.Version11;
        record.ClusterName = "outbound|9080||reviews.default.svc.cluster.local";
        record.Endpoint = _endpoint;
        record.Release();
    }

    private sealed class Nobody : RequestSink
    {
        public override void OnEnd(RequestRecord record)
        {
        }
    }
}
