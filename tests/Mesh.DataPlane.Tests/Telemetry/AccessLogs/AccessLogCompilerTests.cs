using Envoy.Config.Accesslog.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.Testing;
using Mesh.Xds.Client;
using Filter = Mesh.DataPlane.Telemetry.AccessLogs.AccessLogFilter;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>What listeners say of access logs, and which requests their filters let through.</summary>
public class AccessLogCompilerTests
{
    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithTypeRegistry(TypeRegistry.FromFiles(
        Envoy.Config.Accesslog.V3.V3Reflection.Descriptor,
        Envoy.Extensions.AccessLoggers.File.V3.V3Reflection.Descriptor,
        Envoy.Extensions.AccessLoggers.Stream.V3.V3Reflection.Descriptor,
        Envoy.Extensions.AccessLoggers.Grpc.V3.V3Reflection.Descriptor,
        Envoy.Extensions.AccessLoggers.OpenTelemetry.V3.V3Reflection.Descriptor,
        Envoy.Extensions.AccessLoggers.Filters.Cel.V3.V3Reflection.Descriptor)));

    [Theory]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"}""", "/dev/stdout")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog"}""", "/dev/stderr")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":"/var/log/a"}""", "/var/log/a")]
    public void A_log_without_a_format_has_Envoys(string logger, string path)
    {
        var lines = Compile($$"""{"name":"n","typed_config":{{logger}}}""", out var notes).ShouldBeOfType<AccessLoggerSettings.Lines>();
        (lines.Path, lines.Format).ShouldBe((path, AccessLogFormat.Default));
        notes.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_not_known_is_told_and_not_written()
    {
        var notes = new List<string>();
        var log = Json.Parse<AccessLog>("""{"name":"wasm","typed_config":{"@type":"type.googleapis.com/envoy.config.accesslog.v3.AndFilter"}}""");
        AccessLogCompiler.Compile([log], "access_log", notes).ShouldBeEmpty();
        notes.ShouldHaveSingleItem().ShouldBe("access_log[0] is not written: there is no access logger 'wasm' (type.googleapis.com/envoy.config.accesslog.v3.AndFilter) here");
    }

    [Fact]
    public void Commands_that_can_have_no_value_are_refused()
    {
        var refusal = Should.Throw<ResourceRejectedException>(() => Compile(
            """{"name":"n","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog","log_format":{"json_format":{"a":"x %TLS_JA3_FINGERPRINT%","b":"%DURATION%"}}}}""", out _));
        refusal.Message.ShouldContain("log_format.json_format");
        refusal.Message.ShouldContain("position 2: %TLS_JA3_FINGERPRINT% is refused: no fingerprint is taken of handshakes");
    }

    [Theory]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog","log_format":{"json_format":{"a":"%UPSTREAM_TLS_VERSION%"}}}""")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":"a","log_format":{"text_format_source":{"inline_string":"%DURATION% %UPSTREAM_TLS_VERSION%"}}}""")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig","common_config":{"log_name":"l","transport_api_version":"V3","grpc_service":{"envoy_grpc":{"cluster_name":"c"}}},"attributes":{"values":[{"key":"k","value":{"array_value":{"values":[{"string_value":"%UPSTREAM_TLS_VERSION%"}]}}}]}}""")]
    public void Commands_of_connections_are_refused_where_requests_are_told_of(string logger)
    {
        var log = Json.Parse<AccessLog>($$"""{"name":"n","typed_config":{{logger}}}""");
        AccessLogCompiler.Compile([log], "access_log", []).ShouldHaveSingleItem();
        Should.Throw<ResourceRejectedException>(() => AccessLogCompiler.Compile([log], "access_log", [], ofRequests: true)).Message
            .ShouldContain("%UPSTREAM_TLS_VERSION%, which is known of connections that are carried as they are and never of requests");
    }

    [Theory]
    [InlineData("""{"status_code_filter":{"comparison":{"op":"GE","value":{"default_value":400,"runtime_key":"x"}}}}""", "503=1 404=1 200=0")]
    [InlineData("""{"status_code_filter":{"comparison":{"op":"EQ","value":{"default_value":404,"runtime_key":"x"}}}}""", "503=0 404=1 200=0")]
    [InlineData("""{"status_code_filter":{"comparison":{"op":"NE","value":{"default_value":404,"runtime_key":"x"}}}}""", "503=1 404=0 200=1")]
    [InlineData("""{"status_code_filter":{"comparison":{"op":"LE","value":{"default_value":404,"runtime_key":"x"}}}}""", "503=0 404=1 200=1")]
    [InlineData("""{"duration_filter":{"comparison":{"op":"GE","value":{"default_value":107,"runtime_key":"x"}}}}""", "503=1 404=1 200=1")]
    [InlineData("""{"duration_filter":{"comparison":{"op":"GE","value":{"default_value":108,"runtime_key":"x"}}}}""", "503=0 404=0 200=0")]
    [InlineData("""{"not_health_check_filter":{}}""", "503=1 404=1 200=1")]
    [InlineData("""{"traceable_filter":{}}""", "503=0 404=0 200=0")]
    [InlineData("""{"response_flag_filter":{}}""", "503=1 404=0 200=0")]
    [InlineData("""{"response_flag_filter":{"flags":["UF","UH"]}}""", "503=1 404=0 200=0")]
    [InlineData("""{"response_flag_filter":{"flags":["NR"]}}""", "503=0 404=0 200=0")]
    [InlineData("""{"grpc_status_filter":{"statuses":["UNAVAILABLE"]}}""", "503=1 404=0 200=0")]
    [InlineData("""{"grpc_status_filter":{"statuses":["UNAVAILABLE"],"exclude":true}}""", "503=0 404=1 200=1")]
    [InlineData("""{"header_filter":{"header":{"name":"user-agent","string_match":{"prefix":"curl"}}}}""", "503=1 404=1 200=1")]
    [InlineData("""{"header_filter":{"header":{"name":":path","string_match":{"exact":"/other"}}}}""", "503=0 404=0 200=0")]
    [InlineData("""{"log_type_filter":{"types":["DownstreamEnd"]}}""", "503=1 404=1 200=1")]
    [InlineData("""{"log_type_filter":{"types":["TcpConnectionEnd"]}}""", "503=0 404=0 200=0")]
    [InlineData("""{"log_type_filter":{"types":["DownstreamStart"],"exclude":true}}""", "503=1 404=1 200=1")]
    [InlineData("""{"metadata_filter":{"matcher":{"filter":"com.test","path":[{"key":"key"}],"value":{"string_match":{"exact":"foo"}}}}}""", "503=1 404=1 200=1")]
    [InlineData("""{"metadata_filter":{"matcher":{"filter":"com.test","path":[{"key":"key"}],"value":{"string_match":{"exact":"no"}}}}}""", "503=0 404=0 200=0")]
    [InlineData("""{"metadata_filter":{"matcher":{"filter":"com.none","path":[{"key":"key"}],"value":{"string_match":{"exact":"no"}}}}}""", "503=1 404=1 200=1")]
    [InlineData("""{"metadata_filter":{"matcher":{"filter":"com.none","path":[{"key":"key"}],"value":{"string_match":{"exact":"no"}}},"match_if_key_not_found":false}}""", "503=0 404=0 200=0")]
    [InlineData("""{"and_filter":{"filters":[{"response_flag_filter":{}},{"status_code_filter":{"comparison":{"op":"GE","value":{"default_value":500,"runtime_key":"x"}}}}]}}""", "503=1 404=0 200=0")]
    [InlineData("""{"or_filter":{"filters":[{"traceable_filter":{}},{"status_code_filter":{"comparison":{"op":"EQ","value":{"default_value":404,"runtime_key":"x"}}}}]}}""", "503=0 404=1 200=0")]
    [InlineData("""{"extension_filter":{"name":"cel","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter","expression":"response.code >= 400 && response.code < 500"}}}""", "503=0 404=1 200=0")]
    [InlineData("""{"runtime_filter":{"runtime_key":"x","percent_sampled":{"numerator":100}}}""", "503=1 404=1 200=1")]
    [InlineData("""{"runtime_filter":{"runtime_key":"x"}}""", "503=0 404=0 200=0")]
    public void A_filter_lets_through_what_it_says(string json, string expected)
    {
        var filter = FilterOf(json);
        var actual = string.Join(' ', new[] { 503, 404, 200 }.Select(status => $"{status}={(filter.Matches(
            FinishedRequest.Context(r =>
            {
                (r.Status, r.Flags) = (status, status == 503 ? "UH" : "");
                r.Metadata = FinishedRequest.Metadata;
            }), new SeededRandomSource(1)) ? 1 : 0)}"));
        actual.ShouldBe(expected);
    }

    [Fact]
    public void A_share_takes_the_same_requests_wherever_it_is_asked()
    {
        var filter = FilterOf("""{"runtime_filter":{"runtime_key":"x","percent_sampled":{"numerator":25}}}""");
        var taken = 0;
        for (var i = 0; i < 100; i++)
        {
            var id = $"{i:x8}-0000-4000-8000-000000000000";
            var context = FinishedRequest.Context(r => r.RequestId = id);
            var first = filter.Matches(context, new SeededRandomSource(1));
            filter.Matches(context, new SeededRandomSource(2)).ShouldBe(first);
            taken += first ? 1 : 0;
        }

        taken.ShouldBe(25);
    }

    [Fact]
    public void A_share_by_chance_is_about_as_large()
    {
        var filter = FilterOf("""{"runtime_filter":{"runtime_key":"x","percent_sampled":{"numerator":25},"use_independent_randomness":true}}""");
        var random = new SeededRandomSource(7);
        var context = FinishedRequest.Context();
        Enumerable.Range(0, 4_000).Count(_ => filter.Matches(context, random)).ShouldBeInRange(900, 1_100);
    }

    [Theory]
    [InlineData("""{"and_filter":{"filters":[{"traceable_filter":{}}]}}""", "filter.and_filter.filters")]
    [InlineData("""{"status_code_filter":{}}""", "filter.status_code_filter.comparison")]
    [InlineData("""{"response_flag_filter":{"flags":["XX"]}}""", "filter.response_flag_filter.flags[0]")]
    [InlineData("""{"extension_filter":{"name":"x","typed_config":{"@type":"type.googleapis.com/envoy.config.accesslog.v3.AndFilter"}}}""", "filter.extension_filter")]
    [InlineData("""{"extension_filter":{"name":"cel","typed_config":{"@type":"type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter","expression":"response.code >= "}}}""", "filter.extension_filter.typed_config.expression")]
    [InlineData("{}", "filter")]
    public void What_cannot_be_decided_is_refused(string json, string field) => Should.Throw<ResourceRejectedException>(() => FilterOf(json)).Field.ShouldBe(field);

    [Theory]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"}""", "access_log[0].typed_config.common_config")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig","common_config":{"log_name":"l","transport_api_version":"V3","grpc_service":{"google_grpc":{"target_uri":"x","stat_prefix":"y"}}}}""", "access_log[0].typed_config.common_config.grpc_service.google_grpc")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig","common_config":{"log_name":"l","transport_api_version":"V2","grpc_service":{"envoy_grpc":{"cluster_name":"c"}}}}""", "access_log[0].typed_config.common_config.transport_api_version")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig","common_config":{"log_name":"l","transport_api_version":"V3","grpc_service":{"envoy_grpc":{"cluster_name":"c"}},"custom_tags":[{"tag":"t","environment":{"name":"HOME"}}]}}""", "access_log[0].typed_config.common_config.custom_tags[0].environment")]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig","log_name":"l","http_service":{"http_uri":{"uri":"ftp://x","cluster":"c","timeout":"1s"}}}""", "access_log[0].typed_config.http_service.http_uri.uri")]
    public void A_logger_that_cannot_be_held_is_refused(string logger, string field)
        => Should.Throw<ResourceRejectedException>(() => Compile($$"""{"name":"n","typed_config":{{logger}}}""", out _)).Field.ShouldBe(field);

    private static Filter FilterOf(string json) => AccessLogFilterCompiler.Compile(Json.Parse<Envoy.Config.Accesslog.V3.AccessLogFilter>(json), "filter", []);

    private static AccessLoggerSettings Compile(string json, out List<string> notes)
    {
        notes = [];
        return AccessLogCompiler.Compile([Json.Parse<AccessLog>(json)], "access_log", notes).ShouldHaveSingleItem().Logger;
    }
}
