using Envoy.Config.Cluster.V3;
using Envoy.Config.Trace.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;
using HcmTracing = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.Tracing;

namespace Mesh.ControlPlane.Tests.Generators.Signals;

public class TracingTests
{
    private const string Zipkin = """{"name":"zipkin","zipkin":{"service":"zipkin.istio-system.svc.cluster.local","port":9411}}""";

    private static readonly string[] IstioTags =
    [
        "istio.authorization.dry_run.allow_policy.name", "istio.authorization.dry_run.allow_policy.result", "istio.authorization.dry_run.deny_policy.name",
        "istio.authorization.dry_run.deny_policy.result", "istio.canonical_revision", "istio.canonical_service", "istio.cluster_id", "istio.mesh_id", "istio.namespace",
    ];

    [Fact]
    public void Nothing_is_said_where_nothing_is_written()
    {
        SignalReading.Of().Client().Tracing.ShouldBeNull();
        SignalReading.Of(TestDocuments.MeshConfig("""{"accessLogFile":"/dev/stdout"}""")).Server().Tracing.ShouldBeNull();
    }

    [Fact]
    public void Zipkin_with_the_tags_that_Istio_adds()
    {
        var tracing = Of("""{"tracing":[{"providers":[{"name":"zipkin"}],"randomSamplingPercentage":100}]}""", Zipkin).Client().Tracing;

        TestMesh.ShouldBeJson(tracing.Provider, """
            {"name":"envoy.tracers.zipkin","typed_config":{
              "@type":"type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
              "collector_endpoint_version":"HTTP_JSON","trace_id_128bit":true,"shared_span_context":false,
              "collector_service":{"http_uri":{"uri":"http://zipkin.istio-system.svc.cluster.local/api/v2/spans","cluster":"outbound|9411||zipkin.istio-system.svc.cluster.local","timeout":"5s"}}}}
            """);
        (tracing.ClientSampling.Value, tracing.RandomSampling.Value, tracing.OverallSampling.Value).ShouldBe((100, 100, 100));
        tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(IstioTags[4..]);
        tracing.CustomTags.Where(tag => tag.Literal is not null).Select(tag => $"{tag.Tag}={tag.Literal.Value}").ShouldBe(
            ["istio.canonical_revision=v3", "istio.canonical_service=reviews", "istio.cluster_id=Kubernetes", "istio.mesh_id=mesh1", "istio.namespace=default"]);
    }

    [Fact]
    public void What_policies_on_trial_would_have_decided_is_told_where_there_are_any()
    {
        var mesh = SignalReading.Of(
            TestDocuments.Telemetry("mesh", """{"tracing":[{"randomSamplingPercentage":100}]}""", "istio-system"),
            TestDocuments.AuthorizationPolicy("trial", "{}") with { Annotations = new Dictionary<string, string> { ["istio.io/dry-run"] = "true" } });

        mesh.Client().Tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(IstioTags[4..]);
        mesh.Server(SignalReading.Node("app=reviews", "other")).Tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(IstioTags[4..]);
        mesh.Server().Tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(IstioTags);
        mesh.Client(SignalReading.Beside).Tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(IstioTags);
        TestMesh.ShouldBeJson(mesh.Server().Tracing.CustomTags[0], """
            {"tag":"istio.authorization.dry_run.allow_policy.name","metadata":{"kind":{"request":{}},
              "metadata_key":{"key":"envoy.filters.http.rbac","path":[{"key":"istio_dry_run_allow_shadow_effective_policy_id"}]}}}
            """);
    }

    [Fact]
    public void Zipkin_as_it_is_told_to_be()
    {
        Environment.SetEnvironmentVariable("MESH_TEST_ZIPKIN_KEY", "from the environment");
        var zipkin = Of("""{"tracing":[{"providers":[{"name":"z"}]}]}""", """
            {"name":"z","zipkin":{"service":"zipkin.istio-system.svc.cluster.local","port":9411,"maxTagLength":64,"enable64bitTraceId":true,"path":"/zipkin/spans","timeout":"2s",
              "traceContextOption":"USE_B3_WITH_W3C_PROPAGATION","headers":[{"name":"x-a","value":"b"},{"name":"x-key","envName":"MESH_TEST_ZIPKIN_KEY"}]}}
            """).Client().Tracing;

        zipkin.MaxPathTagLength.ShouldBe(64u);
        TestMesh.ShouldBeJson(zipkin.Provider.TypedConfig.Unpack<ZipkinConfig>(), """
            {"collector_endpoint_version":"HTTP_JSON","shared_span_context":false,"trace_context_option":"USE_B3_WITH_W3C_PROPAGATION",
             "collector_service":{
               "http_uri":{"uri":"http://zipkin.istio-system.svc.cluster.local/zipkin/spans","cluster":"outbound|9411||zipkin.istio-system.svc.cluster.local","timeout":"2s"},
               "request_headers_to_add":[
                 {"header":{"key":"x-a","value":"b"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"},
                 {"header":{"key":"x-key","value":"from the environment"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"}]}}
            """);
    }

    [Fact]
    public void OpenTelemetry_by_gRPC_and_by_HTTP()
    {
        var grpc = Of("""{"tracing":[{"providers":[{"name":"otel"}]}]}""", """
            {"name":"otel","opentelemetry":{"service":"otel.istio-system.svc.cluster.local","port":4317,"grpc":{"timeout":"3s","initialMetadata":[{"name":"x-a","value":"b"}]},"resourceDetectors":{"environment":{}}}}
            """).Client().Tracing;
        TestMesh.ShouldBeJson(grpc.Provider, """
            {"name":"envoy.tracers.opentelemetry","typed_config":{
              "@type":"type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
              "service_name":"reviews.default",
              "grpc_service":{"envoy_grpc":{"cluster_name":"outbound|4317||otel.istio-system.svc.cluster.local","authority":"otel.istio-system.svc.cluster.local"},"timeout":"3s",
                "initial_metadata":[{"key":"x-a","value":"b"}]},
              "resource_detectors":[{"name":"envoy.tracers.opentelemetry.resource_detectors.environment","typed_config":{
                "@type":"type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig"}}]}}
            """);

        var http = Of("""{"tracing":[{"providers":[{"name":"otel"}]}]}""", """
            {"name":"otel","opentelemetry":{"service":"otel.istio-system.svc.cluster.local","port":4318,"http":{"path":"/v1/traces","timeout":"3s","headers":[{"name":"x-a","value":"b"}]}}}
            """).Server().Tracing;
        TestMesh.ShouldBeJson(http.Provider.TypedConfig.Unpack<OpenTelemetryConfig>(), """
            {"service_name":"reviews.default",
             "http_service":{"http_uri":{"uri":"otel.istio-system.svc.cluster.local/v1/traces","cluster":"outbound|4318||otel.istio-system.svc.cluster.local","timeout":"3s"},
               "request_headers_to_add":[{"header":{"key":"x-a","value":"b"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"}]}}
            """);
    }

    [Theory]
    [InlineData("", "reviews.default")]
    [InlineData("\"serviceCluster\":\"mine\"", "mine")]
    [InlineData("\"tracingServiceName\":\"CANONICAL_NAME_ONLY\"", "reviews")]
    [InlineData("\"tracingServiceName\":\"CANONICAL_NAME_AND_NAMESPACE\"", "reviews.default")]
    public void Spans_are_of_the_service_that_the_MeshConfig_says(string defaults, string expected)
        => SignalReading.Of(TestDocuments.MeshConfig($$$"""
                {"defaultConfig":{{{{defaults}}}},"defaultProviders":{"tracing":["otel"]},
                 "extensionProviders":[{"name":"otel","opentelemetry":{"service":"otel.istio-system.svc.cluster.local","port":4317}}]}
                """)).Client().Tracing.Provider.TypedConfig.Unpack<OpenTelemetryConfig>().ServiceName.ShouldBe(expected);

    [Fact]
    public void Tags_of_every_kind()
        => Of("""
                {"tracing":[{"enableIstioTags":false,"customTags":{
                  "c":{"environment":{"name":"POD","defaultValue":"none"}},"a":{"literal":{"value":"l"}},"d":{"formatter":{"value":"%REQ(x-a)%"}},"b":{"header":{"name":"x-b","defaultValue":"-"}}}}]}
                """).Client().Tracing.CustomTags.Select(tag => TestMesh.Json(tag)).ShouldBe(
            [
                """{ "tag": "a", "literal": { "value": "l" } }""",
                """{ "tag": "b", "request_header": { "name": "x-b", "default_value": "-" } }""",
                """{ "tag": "c", "environment": { "name": "POD", "default_value": "none" } }""",
                """{ "tag": "d", "value": "%REQ(x-a)%" }""",
            ]);

    [Fact]
    public void Each_thing_is_said_by_the_nearest_document_that_says_it()
    {
        var mesh = SignalReading.Of(
            TestDocuments.MeshConfig($$"""{"extensionProviders":[{{Zipkin}}]}"""),
            TestDocuments.Telemetry("mesh", """{"tracing":[{"providers":[{"name":"zipkin"}],"randomSamplingPercentage":100,"customTags":{"a":{"literal":{"value":"mesh"}}}}]}""", "istio-system"),
            TestDocuments.Telemetry("own", """{"tracing":[{"randomSamplingPercentage":5}]}"""),
            TestDocuments.Telemetry("reviews", """{"selector":{"matchLabels":{"app":"reviews"}},"tracing":[{"match":{"mode":"SERVER"},"customTags":{"b":{"literal":{"value":"workload"}}},"disableContextPropagation":true}]}"""));

        Summary(mesh.Client().Tracing).ShouldBe("zipkin 5% a=mesh");
        Summary(mesh.Server().Tracing).ShouldBe("zipkin 5% b=workload no context");
        Summary(mesh.Client(SignalReading.Node("app=reviews", "other")).Tracing).ShouldBe("zipkin 100% a=mesh");
    }

    [Fact]
    public void A_document_may_switch_spans_off_and_a_nearer_one_on_again()
    {
        var mesh = SignalReading.Of(
            TestDocuments.Telemetry("mesh", """{"tracing":[{"disableSpanReporting":true,"randomSamplingPercentage":50}]}""", "istio-system"),
            TestDocuments.Telemetry("reviews", """{"selector":{"matchLabels":{"app":"reviews"}},"tracing":[{"disableSpanReporting":false}]}"""));

        Summary(mesh.Client().Tracing).ShouldBe("- 50%");
        IsOff(mesh.Client(SignalReading.Node("app=ratings")).Tracing).ShouldBeTrue();
    }

    [Fact]
    public void A_document_may_speak_of_sampling_alone()
        => Summary(Of("""{"tracing":[{"randomSamplingPercentage":0.5}]}""").Client().Tracing).ShouldBe("- 0.5%");

    [Theory]
    [InlineData("""{"name":"zipkin","zipkin":{"service":"gone.default.svc.cluster.local","port":9411}}""")]
    [InlineData("""{"name":"zipkin","zipkin":{"service":"zipkin.istio-system.svc.cluster.local","port":9412}}""")]
    [InlineData("""{"name":"zipkin","zipkin":{"service":"other/zipkin.istio-system.svc.cluster.local","port":9411}}""")]
    public void A_collector_that_nobody_has_is_sent_nothing(string provider)
        => Of("""{"tracing":[{"providers":[{"name":"zipkin"}]}]}""", provider).Client().Tracing.Provider.ShouldBeNull();

    [Fact]
    public void The_MeshConfig_by_itself()
    {
        var mesh = SignalReading.Of(TestDocuments.MeshConfig("""
            {"enableTracing":true,"defaultConfig":{"tracing":{"sampling":10,"zipkin":{"address":"zipkin.istio-system:9411"},"maxPathTagLength":256,"enableIstioTags":false,
              "customTags":{"a":{"literal":{"value":"b"}},"c":{"header":{"name":"x-c"}},"e":{"environment":{"name":"E"}}}}}}
            """));

        var tracing = mesh.Server().Tracing;
        Summary(tracing).ShouldBe("zipkin 10% a=b");
        tracing.CustomTags.Select(tag => tag.Tag).ShouldBe(["a", "c", "e"]);
        tracing.MaxPathTagLength.ShouldBe(256u);
        tracing.Provider.TypedConfig.Unpack<ZipkinConfig>().CollectorService.HttpUri.Cluster.ShouldBe("outbound|9411||zipkin.istio-system.svc.cluster.local");
    }

    [Fact]
    public void A_collector_of_the_defaults_needs_no_Service()
    {
        var mesh = SignalReading.Of(TestDocuments.MeshConfig("""{"defaultConfig":{"tracing":{"zipkin":{"address":"Zipkin.example.com:9411"}}}}"""));

        var uri = mesh.Client().Tracing.Provider.TypedConfig.Unpack<ZipkinConfig>().CollectorService.HttpUri;
        (uri.Uri, uri.Cluster).ShouldBe(("http://zipkin.example.com/api/v2/spans", "outbound|9411||zipkin.example.com"));
        mesh.Find<Cluster>(SignalReading.Reviews, TypeUrls.Cluster, uri.Cluster).ShouldNotBeNull().LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.Address.SocketAddress.PortValue.ShouldBe(9411u);
        mesh.Find<Cluster>(SignalReading.Node("app=reviews", kind: ProxyKind.Grpc), TypeUrls.Cluster, uri.Cluster).ShouldBeNull();
    }

    [Fact]
    public void Whoever_writes_that_nothing_is_traced_means_it()
    {
        var read = new ConfigReader(ConfigReaderOptions.Default, TimeProvider.System)
            .Read("apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nspec:\n  enableTracing: false\n  defaultConfig: {tracing: {sampling: 100}}\n", "mesh.yaml");

        IsOff(SignalReading.Of([.. read.Resources]).Client().Tracing).ShouldBeTrue();
    }

    [Fact]
    public void Requests_get_an_id_unless_the_MeshConfig_says_otherwise()
    {
        SignalReading.Of().Client().GenerateRequestId.ShouldBeNull("Envoy's default, and Istio's");
        var off = SignalReading.Of(TestDocuments.MeshConfig("""{"defaultConfig":{"proxyHeaders":{"requestId":{"disabled":true}}}}"""));
        off.Client().GenerateRequestId.ShouldBe(false);
        off.Server().GenerateRequestId.ShouldBe(false);
    }

    [Fact]
    public void A_document_may_say_that_ids_do_not_decide()
    {
        var mesh = Of("""{"tracing":[{"useRequestIdForTraceSampling":false,"match":{"mode":"SERVER"}}]}""");

        mesh.Client().RequestIdExtension.ShouldBeNull();
        var extension = mesh.Server().RequestIdExtension.TypedConfig;
        extension.TypeUrl.ShouldBe("type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig");

        // Field 2, a BoolValue of which nothing is written: false.
        extension.Value.ToByteArray().ShouldBe([0x12, 0x00]);
    }

    private static TestMesh Of(string telemetry, params string[] providers)
        => SignalReading.Of(TestDocuments.MeshConfig($$"""{"extensionProviders":[{{string.Join(',', providers)}}]}"""), TestDocuments.Telemetry("mesh", telemetry, "istio-system"));

    private static bool IsOff(HcmTracing tracing)
        => tracing is { ClientSampling.Value: 0, RandomSampling.Value: 0, OverallSampling.Value: 0, Provider: null };

    private static string Summary(HcmTracing tracing)
        => string.Join(
            ' ',
            new[] { tracing.Provider?.Name["envoy.tracers.".Length..] ?? "-", FormattableString.Invariant($"{tracing.RandomSampling.Value}%") }
                .Concat(tracing.CustomTags.Where(tag => tag.Literal is not null && !tag.Tag.StartsWith("istio.", StringComparison.Ordinal)).Select(tag => $"{tag.Tag}={tag.Literal.Value}"))
                .Append(tracing.NoContextPropagation ? "no context" : "")
                .Where(part => part.Length > 0));
}
