using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Stats;

namespace Mesh.ControlPlane.Tests.Generators.Signals;

/// <summary>The filter <c>istio.stats</c>, in the shape that Istio sends.</summary>
public class StatsTests
{
    [Fact]
    public void Both_ends_measure_where_nothing_is_said()
    {
        var mesh = SignalReading.Of();

        TestMesh.ShouldBeJson(mesh.Client().HttpFilters[^2], """{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig"}}""");
        TestMesh.ShouldBeJson(mesh.Server().HttpFilters[^2], """{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig","disable_host_header_fallback":true}}""");
    }

    [Fact]
    public void Connections_are_measured_too()
    {
        var mesh = SignalReading.Of(Telemetry("""{"metrics":[{"reportingInterval":"10s"}]}"""));

        var filters = mesh.Listener(SignalReading.Reviews, "tcp://mysql:3306").FilterChains[0].Filters;
        filters.Select(filter => filter.Name).ShouldBe(["istio.stats", "envoy.filters.network.tcp_proxy"]);
        filters[0].TypedConfig.Unpack<PluginConfig>().TcpReportingDuration.Seconds.ShouldBe(10);
        mesh.Listener(SignalReading.Node("app=mysql"), "xds.istio.io/grpc/lds/inbound/0.0.0.0:3306").FilterChains.ShouldAllBe(chain => chain.Filters[chain.Filters.Count - 2].Name == "istio.stats");
    }

    [Fact]
    public void Tags_come_go_and_are_other_ones_and_a_metric_goes()
        => TestMesh.ShouldBeJson(
            SignalReading.StatsOf(SignalReading.Of(Telemetry("""
                {"metrics":[{"providers":[{"name":"prometheus"}],"overrides":[
                  {"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"request_host":{"value":"request.host"},"response_flags":{"operation":"REMOVE"}}},
                  {"match":{"metric":"REQUEST_COUNT","mode":"CLIENT"},"tagOverrides":{"destination_port":{"operation":"UPSERT","value":"string(destination.port)"}}},
                  {"match":{"metric":"GRPC_REQUEST_MESSAGES","mode":"SERVER"},"disabled":true},
                  {"match":{"metric":"RESPONSE_SIZE"},"disabled":true},
                  {"match":{"customMetric":"my_metric"},"tagOverrides":{"a":{"value":"'b'"}}}]}]}
                """)).Client()),
            """
            {"metrics":[
              {"name":"requests_total","dimensions":{"destination_port":"string(destination.port)","request_host":"request.host"},"tags_to_remove":["response_flags"]},
              {"name":"response_bytes","drop":true},
              {"name":"my_metric","dimensions":{"a":"'b'"}}]}
            """);

    [Fact]
    public void What_is_for_all_metrics_is_said_of_each()
    {
        var metrics = SignalReading.StatsOf(SignalReading.Of(Telemetry("""{"metrics":[{"overrides":[{"tagOverrides":{"request_protocol":{"operation":"REMOVE"}}}]}]}""")).Server()).Metrics;

        metrics.Select(metric => metric.Name).ShouldBe(
        [
            "request_messages_total", "response_messages_total", "requests_total", "request_duration_milliseconds", "request_bytes", "response_bytes",
            "tcp_connections_closed_total", "tcp_connections_opened_total", "tcp_received_bytes_total", "tcp_sent_bytes_total",
        ]);
        metrics.ShouldAllBe(metric => metric.TagsToRemove.Single() == "request_protocol" && !metric.Drop);
    }

    [Fact]
    public void Nearer_documents_lie_on_top_of_wider_ones()
    {
        var mesh = SignalReading.Of(
            Telemetry("""{"metrics":[{"overrides":[{"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"a":{"value":"'mesh'"},"b":{"value":"'mesh'"}}},{"match":{"metric":"REQUEST_SIZE"},"disabled":true}]}]}"""),
            TestDocuments.Telemetry("own", """{"metrics":[{"overrides":[{"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"b":{"value":"'namespace'"}}}]}]}"""),
            TestDocuments.Telemetry("reviews", """{"selector":{"matchLabels":{"app":"reviews"}},"metrics":[{"overrides":[{"match":{"metric":"REQUEST_SIZE"},"disabled":false},{"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"c":{"value":"'workload'"}}}]}]}"""));

        TestMesh.Json(SignalReading.StatsOf(mesh.Client())).ShouldBe("""{ "metrics": [ { "dimensions": { "a": "'mesh'", "b": "'namespace'", "c": "'workload'" }, "name": "requests_total" }, { "name": "request_bytes" } ] }""");
        TestMesh.Json(SignalReading.StatsOf(mesh.Client(SignalReading.Node("app=ratings")))).ShouldBe("""{ "metrics": [ { "dimensions": { "a": "'mesh'", "b": "'namespace'" }, "name": "requests_total" }, { "name": "request_bytes", "drop": true } ] }""");
        TestMesh.Json(SignalReading.StatsOf(mesh.Client(SignalReading.Node("app=reviews", "other")))).ShouldBe("""{ "metrics": [ { "dimensions": { "a": "'mesh'", "b": "'mesh'" }, "name": "requests_total" }, { "name": "request_bytes", "drop": true } ] }""");
    }

    [Theory]
    [InlineData("""{"metrics":[{"overrides":[{"disabled":true}]}]}""", true, true)]
    [InlineData("""{"metrics":[{"overrides":[{"match":{"metric":"ALL_METRICS","mode":"CLIENT"},"disabled":true}]}]}""", true, false)]
    [InlineData("""{"metrics":[{"overrides":[{"match":{"mode":"SERVER"},"disabled":true}]}]}""", false, true)]
    [InlineData("""{"metrics":[{"overrides":[{"disabled":true},{"match":{"metric":"REQUEST_COUNT","mode":"SERVER"},"disabled":false}]}]}""", true, false)]
    [InlineData("""{"metrics":[{"providers":[{"name":"stackdriver"}]}]}""", true, true)]
    [InlineData("""{"metrics":[{"providers":[{"name":"Prometheus"}]}]}""", false, false)]
    public void Whoever_wants_no_metrics_has_each_of_them_dropped(string spec, bool client, bool server)
    {
        var mesh = SignalReading.Of(Telemetry(spec));

        IsNothing(SignalReading.StatsOf(mesh.Client())).ShouldBe(client);
        IsNothing(SignalReading.StatsOf(mesh.Server())).ShouldBe(server);

        static bool IsNothing(PluginConfig config) => config.Metrics.Count == 10 && config.Metrics.All(metric => metric.Drop);
    }

    [Fact]
    public void Several_prometheus_providers_are_one_endpoint_with_what_any_of_them_wants()
    {
        var mesh = SignalReading.Of(
            TestDocuments.MeshConfig("""{"extensionProviders":[{"name":"a","prometheus":{}},{"name":"b","prometheus":{}}]}"""),
            Telemetry("""
                {"metrics":[
                  {"providers":[{"name":"a"}],"overrides":[{"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"x":{"value":"'a'"},"y":{"value":"'a'"}}},{"match":{"metric":"REQUEST_SIZE"},"disabled":true},{"match":{"metric":"RESPONSE_SIZE"},"disabled":true}]},
                  {"providers":[{"name":"b"}],"reportingInterval":"15s","overrides":[{"match":{"metric":"REQUEST_COUNT"},"tagOverrides":{"x":{"value":"'b'"},"z":{"operation":"REMOVE"}}},{"match":{"metric":"REQUEST_SIZE"},"disabled":true}]},
                  {"providers":[{"name":"b"},{"name":"a"}]}]}
                """),
            TestDocuments.Telemetry("ratings", """{"selector":{"matchLabels":{"app":"ratings"}},"metrics":[{"providers":[{"name":"a"}],"overrides":[{"disabled":true}]},{"providers":[{"name":"a"},{"name":"b"}]}]}"""),
            TestDocuments.Telemetry("details", """{"selector":{"matchLabels":{"app":"details"}},"metrics":[{"overrides":[{"disabled":true}]}]}"""));

        TestMesh.Json(SignalReading.StatsOf(mesh.Client())).ShouldBe(
            """{ "tcp_reporting_duration": "15s", "metrics": [ { "dimensions": { "x": "'a'", "y": "'a'" }, "name": "requests_total", "tags_to_remove": [ "z" ] }, { "name": "request_bytes", "drop": true }, { "name": "response_bytes" } ] }""");

        // One that wants nothing leaves the other what it wants.
        SignalReading.StatsOf(mesh.Client(SignalReading.Node("app=ratings"))).Metrics.Where(metric => metric.Drop).Select(metric => metric.Name).ShouldBe(["request_bytes"]);
        SignalReading.StatsOf(mesh.Client(SignalReading.Node("app=details"))).Metrics.Count(metric => metric.Drop).ShouldBe(10);
    }

    [Fact]
    public void A_gRPC_node_gets_no_such_filter()
    {
        var grpc = SignalReading.Node("app=reviews", kind: ProxyKind.Grpc);

        SignalReading.Of().Client(grpc).HttpFilters.ShouldNotContain(filter => filter.Name == "istio.stats");
        SignalReading.Of().Listener(grpc, SignalReading.Inbound).ToString().ShouldNotContain("istio.stats");
    }

    private static ConfigResource Telemetry(string spec) => TestDocuments.Telemetry("mesh", spec, "istio-system");
}
