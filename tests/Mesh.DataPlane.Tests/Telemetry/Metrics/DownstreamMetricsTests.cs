using System.Net;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Tests.Telemetry.AccessLogs;
using Mesh.Testing;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

/// <summary>Envoy's metrics of the requests that come in by a connection manager.</summary>
public sealed class DownstreamMetricsTests
{
    private const string Labels = "{envoy_http_conn_manager_prefix=\"inbound_0.0.0.0_8080\"}";

    private readonly MetricRegistry _registry = new();
    private readonly DownstreamMetrics _metrics;

    public DownstreamMetricsTests() => _metrics = new DownstreamMetrics(_registry);

    [Fact]
    public void A_request_is_active_until_it_is_over_and_counts_by_version_and_class()
    {
        var sink = _metrics.Of("inbound_0.0.0.0_8080");
        var first = FinishedRequest.Create(sink, r => (r.Protocol, r.Status) = (HttpVersion.Version20, 503), Reporter.Destination);
        FinishedRequest.Create(sink, reporter: Reporter.Destination).Release();
        Value("total").ShouldBe(2);
        Value("active").ShouldBe(1);
        Value("completed").ShouldBe(1);

        first.Release();

        Value("active").ShouldBe(0);
        Value("completed").ShouldBe(2);
        Value("http1_total").ShouldBe(1);
        Value("http2_total").ShouldBe(1);
        Value("http3_total").ShouldBe(0);
        OfClass(2).ShouldBe(1);
        OfClass(5).ShouldBe(1);
        OfClass(4).ShouldBe(0);
    }

    [Fact]
    public void A_request_that_nobody_has_looked_at_counts_once_and_one_without_a_response_is_not_completed()
    {
        var sink = _metrics.Of("inbound_0.0.0.0_8080");
        RequestRecord.Rent(new RequestSignals(Reporter.Destination, [sink], null, new ManualTimeProvider())).Release();

        Value("total").ShouldBe(1);
        Value("active").ShouldBe(0);
        Value("completed").ShouldBe(0);
    }

    [Fact]
    public void Managers_of_one_prefix_are_one_row_and_rows_are_bounded()
    {
        _metrics.Of("a").ShouldBeSameAs(_metrics.Of("a"));
        for (var i = 0; i < 1000; i++)
        {
            _metrics.Of($"p{i}");
        }

        Exposition.Lines(_registry, "envoy_http_downstream_rq_total").Length.ShouldBe(257);
        _metrics.Of("q").ShouldBeSameAs(_metrics.Of("r"));
        _metrics.Of("a").ShouldNotBeSameAs(_metrics.Of("r"));
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        var sink = _metrics.Of("inbound_0.0.0.0_8080");
        var record = FinishedRequest.Create(sink, reporter: Reporter.Destination);
        Allocations.Of(_ =>
        {
            sink.OnBegin(record);
            sink.OnEnd(record);
        }).ShouldBe(0);
        record.Release();
    }

    private double Value(string name) => Exposition.Value(_registry, $"envoy_http_downstream_rq_{name}{Labels}");

    private double OfClass(int number) => Exposition.Value(_registry, $"envoy_http_downstream_rq_xx{{envoy_response_code_class=\"{number}\",envoy_http_conn_manager_prefix=\"inbound_0.0.0.0_8080\"}}");
}
