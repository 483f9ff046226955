using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators.Signals;

public class AccessLogTests
{
    /// <summary>As Istio's documentation prints it.</summary>
    private const string DefaultText =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%"
        + " \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\""
        + " \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS%"
        + " %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

    private static readonly ConfigResource Envoy = TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"envoy"}]}]}""", "istio-system");

    [Fact]
    public void There_is_none_unless_somebody_asks_for_one()
    {
        SignalReading.Of().Client().AccessLog.ShouldBeEmpty();
        SignalReading.Of().Server().AccessLog.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"accessLogFile":"/dev/stdout"}""")]
    [InlineData("""{"defaultProviders":{"accessLogging":["envoy"]}}""")]
    public void The_MeshConfig_asks_for_Istios_line(string mesh)
    {
        foreach (var manager in Both(SignalReading.Of(TestDocuments.MeshConfig(mesh))))
        {
            TestMesh.ShouldBeJson(manager.AccessLog.ShouldHaveSingleItem(), $$$"""
                {"name":"envoy.access_loggers.file","typed_config":{
                  "@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                  "path":"/dev/stdout",
                  "log_format":{"text_format_source":{"inline_string":{{{System.Text.Json.JsonSerializer.Serialize(DefaultText)}}} } } } }
                """);
        }
    }

    [Fact]
    public void A_Telemetry_asks_for_the_same()
        => Both(SignalReading.Of(Envoy)).ShouldAllBe(manager => FileOf(manager).LogFormat.TextFormatSource.InlineString == DefaultText);

    [Fact]
    public void JSON_has_Istios_properties_or_those_that_are_written()
    {
        FileOf(SignalReading.Of(TestDocuments.MeshConfig("""{"accessLogFile":"/var/log/a","accessLogEncoding":"JSON"}""")).Client()).LogFormat.JsonFormat.Fields
            .Select(field => $"{field.Key}={field.Value.StringValue}").ShouldBe(
            [
                "start_time=%START_TIME%", "route_name=%ROUTE_NAME%", "method=%REQ(:METHOD)%", "path=%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "protocol=%PROTOCOL%",
                "response_code=%RESPONSE_CODE%", "response_flags=%RESPONSE_FLAGS%", "response_code_details=%RESPONSE_CODE_DETAILS%",
                "connection_termination_details=%CONNECTION_TERMINATION_DETAILS%", "bytes_received=%BYTES_RECEIVED%", "bytes_sent=%BYTES_SENT%", "duration=%DURATION%",
                "upstream_service_time=%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", "x_forwarded_for=%REQ(X-FORWARDED-FOR)%", "user_agent=%REQ(USER-AGENT)%",
                "request_id=%REQ(X-REQUEST-ID)%", "authority=%REQ(:AUTHORITY)%", "upstream_host=%UPSTREAM_HOST%", "upstream_cluster=%UPSTREAM_CLUSTER_RAW%",
                "upstream_local_address=%UPSTREAM_LOCAL_ADDRESS%", "downstream_local_address=%DOWNSTREAM_LOCAL_ADDRESS%",
                "downstream_remote_address=%DOWNSTREAM_REMOTE_ADDRESS%", "requested_server_name=%REQUESTED_SERVER_NAME%",
                "upstream_transport_failure_reason=%UPSTREAM_TRANSPORT_FAILURE_REASON%",
            ]);

        var own = FileOf(SignalReading.Of(TestDocuments.MeshConfig("""{"accessLogFile":"/var/log/a","accessLogEncoding":"JSON","accessLogFormat":"{\"p\":\"%REQ_WITHOUT_QUERY(:PATH)%\",\"n\":{\"c\":\"%RESPONSE_CODE%\"}}"}""")).Client()).LogFormat;
        TestMesh.ShouldBeJson(own.JsonFormat, """{"p":"%REQ_WITHOUT_QUERY(:PATH)%","n":{"c":"%RESPONSE_CODE%"}}""");
        own.Formatters.Select(formatter => $"{formatter.Name} {formatter.TypedConfig.TypeUrl}").ShouldBe(
            ["envoy.formatter.req_without_query type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"]);
    }

    [Theory]
    [InlineData("%PROTOCOL%", "%PROTOCOL%\n")]
    [InlineData("%PROTOCOL%\\n", "%PROTOCOL%\n")]
    public void Every_line_ends(string written, string sent)
        => FileOf(SignalReading.Of(TestDocuments.MeshConfig($$"""{"accessLogFile":"/dev/stdout","accessLogFormat":"{{written}}"}""")).Client()).LogFormat.TextFormatSource.InlineString.ShouldBe(sent);

    [Fact]
    public void A_provider_of_ones_own_has_a_file_and_a_format()
    {
        var mesh = SignalReading.Of(
            TestDocuments.MeshConfig("""
                {"accessLogFormat":"not this one","extensionProviders":[
                  {"name":"text","envoyFileAccessLog":{"path":"/var/log/text","logFormat":{"text":"%DURATION%"},"omitEmptyValues":true}},
                  {"name":"labels","envoyFileAccessLog":{"logFormat":{"labels":{"d":"%DURATION%"}}}}]}
                """),
            TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"text"},{"name":"labels"}]}]}"""));

        mesh.Client().AccessLog.Select(log => TestMesh.Json(log.TypedConfig.Unpack<FileAccessLog>())).ShouldBe(
        [
            """{ "path": "/dev/stdout", "log_format": { "json_format": { "d": "%DURATION%" }, "json_format_options": { } } }""",
            """{ "path": "/var/log/text", "log_format": { "omit_empty_values": true, "text_format_source": { "inline_string": "%DURATION%\n" } } }""",
        ]);
    }

    [Fact]
    public void A_filter_and_an_end_are_for_the_entry_that_has_them()
    {
        var mesh = SignalReading.Of(TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"envoy"}],"match":{"mode":"SERVER"},"filter":{"expression":"response.code >= 400"}}]}"""));

        mesh.Client().AccessLog.ShouldBeEmpty();
        TestMesh.ShouldBeJson(mesh.Server().AccessLog.ShouldHaveSingleItem().Filter, """
            {"extension_filter":{"name":"envoy.access_loggers.extension_filters.cel","typed_config":{
              "@type":"type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter","expression":"response.code >= 400"}}}
            """);
    }

    [Theory]
    [InlineData("""{"accessLogging":[{"providers":[{"name":"envoy"}],"disabled":true}]}""")]
    [InlineData("""{"accessLogging":[{"disabled":true}]}""")]
    public void A_workload_is_let_out_of_what_the_mesh_writes(string spec)
    {
        var off = TestDocuments.Telemetry("off", spec.Replace("{\"accessLogging\"", "{\"selector\":{\"matchLabels\":{\"app\":\"reviews\"}},\"accessLogging\"", StringComparison.Ordinal));
        foreach (var mesh in new[] { SignalReading.Of(Envoy, off), SignalReading.Of(TestDocuments.MeshConfig("""{"accessLogFile":"/dev/stdout"}"""), off) })
        {
            mesh.Client().AccessLog.ShouldBeEmpty();
            mesh.Client(SignalReading.Node("app=ratings")).AccessLog.Count.ShouldBe(1);
        }
    }

    [Fact]
    public void A_log_service_is_reached_by_its_cluster_whatever_a_Sidecar_lets_in()
    {
        var mesh = SignalReading.Of(
            TestDocuments.MeshConfig("""
                {"extensionProviders":[
                  {"name":"http","envoyHttpAls":{"service":"als.istio-system.svc.cluster.local","port":9090,"additionalRequestHeadersToLog":["x-a"],"additionalResponseTrailersToLog":["x-t"]}},
                  {"name":"tcp","envoyTcpAls":{"service":"istio-system/als.istio-system.svc.cluster.local","port":9090,"logName":"mine"}},
                  {"name":"otel","envoyOtelAls":{"service":"otel.istio-system.svc.cluster.local","port":4317,"logFormat":{"labels":{"z":"%DURATION%","a":"%PROTOCOL%"}}}}]}
                """),
            TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"http"},{"name":"tcp"},{"name":"otel"}]}]}"""),
            TestDocuments.Sidecar("narrow", """{"egress":[{"hosts":["./*"]}]}"""));

        var logs = mesh.Client(SignalReading.Beside).AccessLog;
        logs.Select(log => log.Name).ShouldBe(["envoy.access_loggers.http_grpc", "envoy.access_loggers.open_telemetry"]);
        TestMesh.ShouldBeJson(logs[0].TypedConfig, """
            {"@type":"type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
             "common_config":{"log_name":"http_envoy_accesslog","transport_api_version":"V3","filter_state_objects_to_log":["upstream_peer","downstream_peer"],
               "grpc_service":{"envoy_grpc":{"cluster_name":"outbound|9090||als.istio-system.svc.cluster.local","authority":"als.istio-system.svc.cluster.local"}}},
             "additional_request_headers_to_log":["x-a"],"additional_response_trailers_to_log":["x-t"]}
            """);
        TestMesh.ShouldBeJson(logs[1].TypedConfig, $$$"""
            {"@type":"type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
             "common_config":{"log_name":"otel_envoy_accesslog","transport_api_version":"V3",
               "filter_state_objects_to_log":["upstream_peer","downstream_peer","wasm.upstream_peer","wasm.upstream_peer_id","wasm.downstream_peer","wasm.downstream_peer_id"],
               "grpc_service":{"envoy_grpc":{"cluster_name":"outbound|4317||otel.istio-system.svc.cluster.local","authority":"otel.istio-system.svc.cluster.local"} } },
             "disable_builtin_labels":true,
             "body":{"string_value":{{{System.Text.Json.JsonSerializer.Serialize(DefaultText)}}} },
             "attributes":{"values":[{"key":"a","value":{"string_value":"%PROTOCOL%"}},{"key":"z","value":{"string_value":"%DURATION%"}}]}}
            """);

        mesh.Client().AccessLog.Select(log => TestMesh.Json(log.TypedConfig)).ShouldAllBe(log => !log.Contains("filter_state_objects_to_log"), "a process keeps no filter state");

        var proxy = mesh.Listener(SignalReading.Reviews, "tcp://mysql:3306").FilterChains[0].Filters[^1].TypedConfig.Unpack<TcpProxy>();
        proxy.AccessLog.Select(log => log.Name).ShouldBe(["envoy.access_loggers.open_telemetry", "envoy.tcp_grpc_access_log"]);
        TestMesh.Json(proxy.AccessLog[1].TypedConfig).ShouldContain("\"log_name\": \"mine\"");

        mesh.Find<Cluster>(SignalReading.Reviews, TypeUrls.Cluster, "outbound|9090||als.istio-system.svc.cluster.local").ShouldNotBeNull();
        mesh.Find<Cluster>(SignalReading.Reviews, TypeUrls.Cluster, "outbound|9411||zipkin.istio-system.svc.cluster.local").ShouldBeNull();
        mesh.Find<Envoy.Config.Endpoint.V3.ClusterLoadAssignment>(SignalReading.Reviews, TypeUrls.ClusterLoadAssignment, "outbound|9090||als.istio-system.svc.cluster.local").ShouldNotBeNull();
    }

    [Fact]
    public void A_log_service_of_the_defaults_needs_no_Service()
    {
        var mesh = SignalReading.Of(TestDocuments.MeshConfig("""{"enableEnvoyAccessLogService":true,"defaultConfig":{"envoyAccessLogService":{"address":"als.example.com:9000"}}}"""));

        var log = mesh.Server().AccessLog.ShouldHaveSingleItem();
        log.Name.ShouldBe("envoy.access_loggers.http_grpc");
        TestMesh.Json(log.TypedConfig).ShouldContain("\"cluster_name\": \"outbound|9000||als.example.com\"");
        mesh.Find<Cluster>(SignalReading.Reviews, TypeUrls.Cluster, "outbound|9000||als.example.com").ShouldNotBeNull().Type.ShouldBe(Cluster.Types.DiscoveryType.StrictDns);
    }

    [Fact]
    public void Connections_are_written_of_as_well_but_not_to_gRPC_nodes()
    {
        var mesh = SignalReading.Of(Envoy);

        mesh.Listener(SignalReading.Reviews, "tcp://mysql:3306").FilterChains[0].Filters[^1].TypedConfig.Unpack<TcpProxy>().AccessLog.Count.ShouldBe(1);
        mesh.Listener(SignalReading.Node("app=mysql"), "xds.istio.io/grpc/lds/inbound/0.0.0.0:3306").FilterChains
            .ShouldAllBe(chain => chain.Filters[chain.Filters.Count - 1].TypedConfig.Unpack<TcpProxy>().AccessLog.Count == 1);

        // Of those that no chain is for the listener itself tells.
        foreach (var listener in (Listener[])[mesh.Listener(SignalReading.Reviews, "tcp://mysql:3306"), mesh.Listener(SignalReading.Node("app=mysql"), "xds.istio.io/grpc/lds/inbound/0.0.0.0:3306")])
        {
            var log = listener.AccessLog.ShouldHaveSingleItem();
            log.Filter.ResponseFlagFilter.Flags.ShouldBe(["NR"]);
            log.TypedConfig.Unpack<FileAccessLog>().LogFormat.TextFormatSource.InlineString.ShouldBe(DefaultText);
        }

        var grpc = SignalReading.Node("app=reviews", kind: ProxyKind.Grpc);
        mesh.Client(grpc).ShouldBe(SignalReading.Of().Client(grpc));
        mesh.Listener(grpc, SignalReading.Inbound).ShouldBe(SignalReading.Of().Listener(grpc, SignalReading.Inbound));
    }

    [Fact]
    public void A_listeners_filter_stands_beside_that_of_the_Telemetry()
    {
        var mesh = SignalReading.Of(TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"envoy"}],"filter":{"expression":"connection.mtls"}}]}"""));

        var filters = mesh.Listener(SignalReading.Reviews, "tcp://mysql:3306").AccessLog.ShouldHaveSingleItem().Filter.AndFilter.Filters;
        filters[0].ResponseFlagFilter.Flags.ShouldBe(["NR"]);
        filters[1].ExtensionFilter.Name.ShouldBe("envoy.access_loggers.extension_filters.cel");
    }

    [Fact]
    public void An_unknown_provider_writes_nothing_and_the_others_do()
        => SignalReading.Of(TestDocuments.Telemetry("logs", """{"accessLogging":[{"providers":[{"name":"no"},{"name":"envoy"},{"name":"stackdriver"}]}]}""")).Client().AccessLog.Count.ShouldBe(1);

    private static HttpConnectionManager[] Both(TestMesh mesh) => [mesh.Client(), mesh.Server()];

    private static FileAccessLog FileOf(HttpConnectionManager manager) => manager.AccessLog.ShouldHaveSingleItem().TypedConfig.Unpack<FileAccessLog>();
}
