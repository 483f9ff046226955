using System.Buffers;
using System.Diagnostics;
using Mesh.Testing;
using Mesh.Xds.Metrics;

namespace Mesh.Xds.Tests.Metrics;

public sealed class ExpositionTests
{
    [Fact]
    public void Text_has_help_type_and_samples_of_every_family_that_has_any()
    {
        var registry = new MetricRegistry();
        registry.Counter("b_total", "Counts\nb with \\ and \".", "kind").Cell("x").Add(3);
        registry.Gauge("a", "Level of a.").Cell().Set(-1.5);
        registry.Counter("nobody_total", "Nobody counts here.", "kind");
        var histogram = registry.Histogram("c_milliseconds", "Sizes of c.", [0.5, 1, 1_800_000], "kind").Cell("x");
        histogram.Record(0.25);
        histogram.Record(1);
        histogram.Record(2_000_000);

        Exposition.Text(registry).ShouldBe("""
            # HELP a Level of a.
            # TYPE a gauge
            a -1.5
            # HELP b_total Counts\nb with \\ and ".
            # TYPE b_total counter
            b_total{kind="x"} 3
            # HELP c_milliseconds Sizes of c.
            # TYPE c_milliseconds histogram
            c_milliseconds_bucket{kind="x",le="0.5"} 1
            c_milliseconds_bucket{kind="x",le="1"} 2
            c_milliseconds_bucket{kind="x",le="1800000"} 2
            c_milliseconds_bucket{kind="x",le="+Inf"} 3
            c_milliseconds_sum{kind="x"} 2000001.25
            c_milliseconds_count{kind="x"} 3

            """);
    }

    [Fact]
    public void OpenMetrics_names_counters_without_total_says_units_shows_exemplars_and_ends()
    {
        var time = new ManualTimeProvider();
        using var span = new Activity("GET") { ActivityTraceFlags = ActivityTraceFlags.Recorded };
        span.SetIdFormat(ActivityIdFormat.W3C).Start();
        using var unsampled = new Activity("GET").SetIdFormat(ActivityIdFormat.W3C);
        unsampled.ActivityTraceFlags = ActivityTraceFlags.None;
        var registry = new MetricRegistry();
        registry.Counter("b_bytes_total", "Bytes.", "kind").Cell("x").Add(3);
        registry.Counter("envoy_b", "Says \"b\".").Cell().Add(4);
        var histogram = registry.Histogram("c_milliseconds", "Sizes of c.", [0.5, 1, 1_800_000], "kind").Cell("x");
        histogram.Record(0.25, unsampled, time, Stripes.Here);
        histogram.Record(0.75, span, time, Stripes.Here);

        Exposition.OpenMetrics(registry).ShouldBe($$"""
            # TYPE b_bytes counter
            # UNIT b_bytes bytes
            # HELP b_bytes Bytes.
            b_bytes_total{kind="x"} 3
            # TYPE c_milliseconds histogram
            # UNIT c_milliseconds milliseconds
            # HELP c_milliseconds Sizes of c.
            c_milliseconds_bucket{kind="x",le="0.5"} 1
            c_milliseconds_bucket{kind="x",le="1.0"} 2 # {trace_id="{{span.TraceId}}",span_id="{{span.SpanId}}"} 0.75 {{time.GetUtcNow().ToUnixTimeMilliseconds() / 1000m:F3}}
            c_milliseconds_bucket{kind="x",le="1.8e+06"} 2
            c_milliseconds_bucket{kind="x",le="+Inf"} 2
            c_milliseconds_sum{kind="x"} 1
            c_milliseconds_count{kind="x"} 2
            # TYPE envoy_b unknown
            # HELP envoy_b Says \"b\".
            envoy_b 4
            # EOF

            """);
    }

    // The values that OpenMetrics gives as examples of canonical numbers.
    [Theory]
    [InlineData(0, "0.0")]
    [InlineData(0.001, "0.001")]
    [InlineData(0.01, "0.01")]
    [InlineData(0.9, "0.9")]
    [InlineData(1, "1.0")]
    [InlineData(10, "10.0")]
    [InlineData(100000, "100000.0")]
    [InlineData(1e6, "1e+06")]
    [InlineData(3.6e6, "3.6e+06")]
    [InlineData(1e10, "1e+10")]
    [InlineData(1e-4, "0.0001")]
    [InlineData(1e-5, "1e-05")]
    [InlineData(1234567, "1.234567e+06")]
    public void Bounds_are_written_canonically(double bound, string expected) => OpenMetricsText.Bound(bound).ShouldBe(expected);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\"} 1\nfake_total{x=\"", "a\\\"} 1\\nfake_total{x=\\\"")]
    [InlineData("back\\slash\\", "back\\\\slash\\\\")]
    [InlineData("ünï→", "ünï→")]
    [InlineData("", "")]
    public void A_label_value_cannot_leave_its_quotes(string value, string written)
    {
        var registry = new MetricRegistry();
        registry.Counter("things_total", "Things.", "kind").Cell(value).Increment();

        Exposition.Text(registry).ShouldEndWith($"\nthings_total{{kind=\"{written}\"}} 1\n");
        Exposition.OpenMetrics(registry).ShouldContain($"\nthings_total{{kind=\"{written}\"}} 1\n");
    }

    [Fact]
    public void Half_a_surrogate_pair_is_still_written_as_UTF8()
    {
        var registry = new MetricRegistry();
        registry.Counter("things_total", "Things.", "kind").Cell("half " + '\ud800' + " pair").Increment();

        Exposition.Text(registry).ShouldEndWith("\nthings_total{kind=\"half " + '\ufffd' + " pair\"} 1\n");
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(1e20, "1E+20")]
    [InlineData(0.1, "0.1")]
    [InlineData(123456789012345, "123456789012345")]
    public void Numbers_are_what_Go_parses(double value, string written)
    {
        var registry = new MetricRegistry();
        registry.Gauge("level", "Level.").Cell().Set(value);

        Exposition.Text(registry).ShouldEndWith($"\nlevel {written}\n");
    }

    [Fact]
    public void Families_can_be_chosen()
    {
        var registry = new MetricRegistry();
        registry.Gauge("a", "A.").Cell().Set(1);
        registry.Gauge("b", "B.").Cell().Set(1);
        var output = new ArrayBufferWriter<byte>();

        PrometheusText.Write(registry, output, family => family.Name == "b");

        System.Text.Encoding.UTF8.GetString(output.WrittenSpan).ShouldBe("# HELP b B.\n# TYPE b gauge\nb 1\n");
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("application/openmetrics-text; version=1.0.0; charset=utf-8", true)]
    [InlineData("application/openmetrics-text;version=0.0.1", false)]
    [InlineData("application/openmetrics-text;q=0", false)]
    [InlineData("application/openmetrics-text;q=nonsense", false)]
    [InlineData("text/plain;q=0.9,application/openmetrics-text;q=0.5", false)]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text;q=0.5,text/plain;q=0", true)]
    // What Prometheus 2 and 3 send: 2 would keep le="10.0" for another series than Envoy's le="10", 3 reads bounds as numbers.
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", false)]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", false)]
    [InlineData("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.2", true)]
    public void The_format_is_what_the_caller_prefers(string? accept, bool openMetrics)
        => ExpositionFormats.Negotiate(accept).ShouldBe(openMetrics ? ExpositionFormat.OpenMetrics : ExpositionFormat.Text);
}
