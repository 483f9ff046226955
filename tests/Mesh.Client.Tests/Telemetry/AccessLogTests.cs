using System.Net;
using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Data.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Opentelemetry.Proto.Common.V1;
using OpenTelemetryValue = Opentelemetry.Proto.Common.V1.AnyValue;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>Access logs of requests that this process makes, with real sockets, files and collectors.</summary>
public sealed class AccessLogTests : IDisposable
{
    private const string Host = "reviews:9080";

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-access-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    [Trait("Lab", "L004")]
    public async Task A_listeners_log_is_written_in_Envoys_format_below_the_directory_that_it_may_write_to()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = Logging(new FileAccessLog { Path = "sub/access.log" }, server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Host}/a?b=c") { Content = new StringContent("12345678") };
        request.Headers.TryAddWithoutValidation("user-agent", "curl/7.47.0");
        request.Headers.TryAddWithoutValidation("x-request-id", "cd30da12-ee24-9429-b188-2d494017c083");
        using var response = await mesh.Client().SendAsync(request).Within();

        await FlushAsync(mesh);

        File.ReadAllText(Path.Combine(_directory, "sub", "access.log")).ShouldMatch(
            $"^\\[\\d{{4}}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{{3}}Z\\] \"POST /a\\?b=c HTTP/1\\.1\" 200 - 8 5 \\d+ (\\d+|-) \"-\" \"curl/7\\.47\\.0\" \"cd30da12-ee24-9429-b188-2d494017c083\" \"reviews:9080\" \"127\\.0\\.0\\.1:{server.Port}\"\n$");
    }

    [Fact]
    public async Task What_a_control_plane_may_not_write_is_said_once_with_the_way_out_and_requests_go_on()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = Logging(new FileAccessLog { Path = "/etc/cron.d/evil" }, server.Port);
        for (var i = 0; i < 3; i++)
        {
            using var response = await mesh.Client().GetAsync($"http://{Host}/").Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        mesh.Logs.Lines.Count(l => l.Contains("/etc/cron.d/evil", StringComparison.Ordinal) && l.Contains("Mesh:AccessLog:Directory", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_filter_says_which_requests_are_logged_and_headers_are_those_of_the_request_as_it_was_made()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/fails" ? 503 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = Logging(new FileAccessLog { Path = "a", LogFormat = Text("%REQ(:PATH)% %RESPONSE_CODE% %REQ(X-CALLER)%\n") }, server.Port, log => log.Filter = new Envoy.Config.Accesslog.V3.AccessLogFilter
        {
            StatusCodeFilter = new StatusCodeFilter { Comparison = new ComparisonFilter { Op = ComparisonFilter.Types.Op.Ge, Value = new RuntimeUInt32 { DefaultValue = 400, RuntimeKey = "x" } } },
        });
        foreach (var path in (string[])["/", "/fails", "/"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Host}{path}");
            request.Headers.Add("x-caller", "me");
            using var response = await mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead).Within();

            // The message is the caller's again, before the response has been read.
            request.Headers.Remove("x-caller");
            await response.Content.ReadAsByteArrayAsync().Within();
        }

        await FlushAsync(mesh);

        File.ReadAllText(Path.Combine(_directory, "a")).ShouldBe("/fails 503 me\n");
    }

    [Fact]
    public async Task The_applications_own_log_is_written_whatever_the_control_plane_says()
    {
        var path = Path.Combine(_directory, "own.log");
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create(options: o =>
        {
            (o.AccessLog.Sink, o.AccessLog.Path, o.AccessLog.Encoding, o.AccessLog.Filter) = (MeshAccessLogSink.File, path, MeshAccessLogEncoding.Json, "request.url_path != '/health'");
            o.AccessLog.JsonFormat["path"] = "%REQ(:PATH)%";
            o.AccessLog.JsonFormat["bytes"] = "%BYTES_SENT%";
        }).Serve(Host, server.Port);
        foreach (var asked in (string[])["/a", "/health", "/b"])
        {
            using var response = await mesh.Client().GetAsync($"http://{Host}{asked}").Within();
        }

        await FlushAsync(mesh);

        File.ReadAllText(path).ShouldBe("""{"bytes":5,"path":"/a"}""" + "\n" + """{"bytes":5,"path":"/b"}""" + "\n");
    }

    [Fact]
    public async Task A_request_that_was_tried_again_names_every_endpoint_that_it_was_sent_to()
    {
        var path = Path.Combine(_directory, "own.log");
        var seen = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref seen) == 1 ? 503 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create(options: o => (o.AccessLog.Sink, o.AccessLog.Path, o.AccessLog.Format) = (MeshAccessLogSink.File, path, "%RESPONSE_CODE% %UPSTREAM_HOSTS_ATTEMPTED%"))
            .ServeWith(action => action.RetryPolicy = RouteRules.Retry("5xx", 1), http2: false, server.Port);
        for (var i = 0; i < 2; i++)
        {
            using var response = await mesh.Client().GetAsync($"http://{Host}/").Within();
        }

        await FlushAsync(mesh);

        var host = $"127.0.0.1:{server.Port}";
        File.ReadAllText(path).ShouldBe($"200 {host},{host}\n200 {host}\n");
    }

    [Fact]
    public async Task Entries_can_go_to_the_applications_own_logging()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create(options: o => (o.AccessLog.Sink, o.AccessLog.Format) = (MeshAccessLogSink.Logger, "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%")).Serve(Host, server.Port);
        using var response = await mesh.Client().GetAsync($"http://{Host}/a").Within();

        await FlushAsync(mesh);

        mesh.Logs.Lines.ShouldContain("Information Mesh.AccessLog GET /a 200");
    }

    [Fact]
    public async Task Settings_that_cannot_hold_are_told_at_the_start_all_at_once()
    {
        await using var mesh = ClientMesh.Create();
        var options = new MeshOptions();
        options.AccessLog.Sink = MeshAccessLogSink.File;
        (options.AccessLog.MaxFiles, options.AccessLog.FlushInterval, options.AccessLog.Directory) = (0, TimeSpan.Zero, "relative");
        Validate(mesh, options).Length.ShouldBe(4);

        options = new MeshOptions();
        (options.AccessLog.Format, options.AccessLog.Filter) = ("%NO_SUCH% x", "response.code >=");
        Validate(mesh, options).ShouldBe(
            ["Mesh:AccessLog:Format: '%NO_SUCH% x\n', position 0: the command 'NO_SUCH' does not exist.", "Mesh:AccessLog:Filter: 'response.code >=', position 16: something is missing here."]);

        options.AccessLog.Filter = null;
        options.AccessLog.Format = "%TLS_JA3_FINGERPRINT%";
        Validate(mesh, options).ShouldHaveSingleItem().ShouldContain("position 0: %TLS_JA3_FINGERPRINT% is refused: no fingerprint is taken of handshakes");
        options.AccessLog.Format = "%UPSTREAM_TLS_VERSION%";
        Validate(mesh, options).ShouldHaveSingleItem().ShouldContain("never of requests");
    }

    [Fact]
    public async Task An_access_log_service_is_sent_entries_on_one_stream_that_says_first_whose_they_are()
    {
        await using var collector = await LogCollector.StartAsync();
        await using var server = await WebServer.StartAsync(async context =>
        {
            context.Response.Headers["x-answer"] = "42";
            await context.Response.WriteAsync("hello");
        });
        await using var mesh = Logging(
            new HttpGrpcAccessLogConfig
            {
                CommonConfig = Common(),
                AdditionalRequestHeadersToLog = { "X-Caller" },
                AdditionalResponseHeadersToLog = { "x-answer" },
            },
            server.Port,
            collector: collector.Port);
        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Host}/{i}");
            request.Headers.Add("x-caller", "me");
            request.Headers.TryAddWithoutValidation("user-agent", "curl/7.47.0");
            using var response = await mesh.Client().SendAsync(request).Within();
            await FlushAsync(mesh);
        }

        var first = await collector.Messages.Reader.ReadAsync().AsTask().Within();
        var second = await collector.Messages.Reader.ReadAsync().AsTask().Within();
        first.Identifier.LogName.ShouldBe("reviews-log");
        second.Identifier.ShouldBeNull();
        (collector.Streams, collector.Headers).ShouldBe((1, "yes"));
        var entry = first.HttpLogs.LogEntry.ShouldHaveSingleItem();
        (entry.Request.Path, entry.Request.Authority, entry.Request.RequestMethod, entry.Request.UserAgent).ShouldBe(("/0", Host, RequestMethod.Get, "curl/7.47.0"));
        entry.Request.RequestHeaders.ShouldBe(new Dictionary<string, string> { ["x-caller"] = "me" });
        (entry.Response.ResponseCode, entry.Response.ResponseBodyBytes, entry.Response.ResponseCodeDetails).ShouldBe((200u, 5ul, "via_upstream"));
        entry.Response.ResponseHeaders.ShouldBe(new Dictionary<string, string> { ["x-answer"] = "42" });
        entry.ProtocolVersion.ShouldBe(HTTPAccessLogEntry.Types.HTTPVersion.Http11);
        entry.CommonProperties.UpstreamCluster.ShouldBe(Host);
        entry.CommonProperties.UpstreamRemoteAddress.SocketAddress.PortValue.ShouldBe((uint)server.Port);
        entry.CommonProperties.CustomTags.ShouldBe(new Dictionary<string, string> { ["caller"] = "me", ["env"] = "test" });
        (entry.CommonProperties.AccessLogType, entry.CommonProperties.UpstreamRequestAttemptCount).ShouldBe((AccessLogType.DownstreamEnd, 1u));
        entry.CommonProperties.Duration.ToTimeSpan().ShouldBeGreaterThan(TimeSpan.Zero);
        second.HttpLogs.LogEntry.ShouldHaveSingleItem().Request.Path.ShouldBe("/1");
    }

    [Fact]
    public async Task A_service_that_ends_its_stream_gets_another_one()
    {
        await using var collector = await LogCollector.StartAsync();
        collector.EndsStreams = true;
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = Logging(new HttpGrpcAccessLogConfig { CommonConfig = Common() }, server.Port, collector: collector.Port);
        var paths = new List<string>();
        for (var i = 0; paths.Distinct().Count() < 2; i++)
        {
            using var response = await mesh.Client().GetAsync($"http://{Host}/{i}").Within();
            await FlushAsync(mesh);
            while (collector.Messages.Reader.TryRead(out var message))
            {
                message.Identifier.ShouldNotBeNull();
                paths.Add(message.HttpLogs.LogEntry[0].Request.Path);
            }
        }

        collector.Streams.ShouldBeGreaterThanOrEqualTo(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collector_of_OpenTelemetry_gets_records(bool overHttp)
    {
        await using var collector = await LogCollector.StartAsync(overHttp ? HttpProtocols.Http1 : HttpProtocols.Http2);
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        var config = new OpenTelemetryAccessLogConfig
        {
            LogName = "reviews-log",
            Body = new OpenTelemetryValue { StringValue = "%REQ(:METHOD)% %REQ(:PATH)%" },
            Attributes = new KeyValueList { Values = { new KeyValue { Key = "code", Value = new OpenTelemetryValue { StringValue = "%RESPONSE_CODE%" } } } },
            ResourceAttributes = new KeyValueList { Values = { new KeyValue { Key = "team", Value = new OpenTelemetryValue { StringValue = "books" } } } },
        };
        if (overHttp)
        {
            config.HttpService = new HttpService
            {
                HttpUri = new HttpUri { Uri = "http://collector.example/v1/logs", Cluster = "collector", Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) },
                RequestHeadersToAdd = { new HeaderValueOption { Header = new HeaderValue { Key = "x-collector", Value = "yes" } } },
            };
        }
        else
        {
            config.GrpcService = Common().GrpcService;
        }

        await using var mesh = Logging(config, server.Port, collector: collector.Port, collectorHttp2: !overHttp);
        using var response = await mesh.Client().GetAsync($"http://{Host}/a").Within();
        await FlushAsync(mesh);

        var logs = (await collector.Exports.Reader.ReadAsync().AsTask().Within()).ResourceLogs.ShouldHaveSingleItem();
        logs.Resource.Attributes.Select(a => a.Key).ShouldBe(["log_name", "zone_name", "cluster_name", "node_name", "team"]);
        var record = logs.ScopeLogs.ShouldHaveSingleItem().LogRecords.ShouldHaveSingleItem();
        record.Body.StringValue.ShouldBe("GET /a");
        record.Attributes.ShouldHaveSingleItem().Value.StringValue.ShouldBe("200");
        record.TimeUnixNano.ShouldBeGreaterThan(0ul);
        collector.Headers.ShouldBe(overHttp ? "yes application/x-protobuf" : "");
    }

    [Fact]
    public async Task A_collector_that_is_not_there_costs_a_counter_and_one_warning()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = Logging(new HttpGrpcAccessLogConfig { CommonConfig = Common() }, server.Port, collector: 1);
        for (var i = 0; i < 3; i++)
        {
            using var response = await mesh.Client().GetAsync($"http://{Host}/").Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            await FlushAsync(mesh);
        }

        mesh.Logs.Lines.Count(l => l.Contains("The access log reviews-log (collector) is not taken by its collector", StringComparison.Ordinal)).ShouldBe(1);
        new AccessLogCounts(mesh.Services.GetRequiredService<Mesh.Xds.Metrics.MetricRegistry>(), "grpc", "reviews-log").Dropped.ShouldBe(3);
    }

    private static string[] Validate(ClientMesh mesh, MeshOptions options)
        => [.. mesh.Services.GetServices<IValidateOptions<MeshOptions>>().SelectMany(v => v.Validate(null, options).Failures ?? [])];

    private static Task FlushAsync(ClientMesh mesh) => mesh.Services.GetRequiredService<MeshAccessLogs>().FlushAsync(default).Within();

    private static SubstitutionFormatString Text(string format) => new() { TextFormatSource = new DataSource { InlineString = format } };

    private static CommonGrpcAccessLogConfig Common() => new()
    {
        LogName = "reviews-log",
        TransportApiVersion = ApiVersion.V3,
        GrpcService = new GrpcService { EnvoyGrpc = new() { ClusterName = "collector" }, InitialMetadata = { new HeaderValue { Key = "x-collector", Value = "yes" } } },
        CustomTags =
        {
            new Envoy.Type.Tracing.V3.CustomTag { Tag = "caller", RequestHeader = new() { Name = "x-caller" } },
            new Envoy.Type.Tracing.V3.CustomTag { Tag = "env", Literal = new() { Value = "test" } },
        },
    };

    private ClientMesh Logging(IMessage logger, int port, Action<AccessLog>? change = null, int collector = 0, bool collectorHttp2 = true)
    {
        var mesh = ClientMesh.Create(options: o => o.AccessLog.Directory = _directory);
        if (collector != 0)
        {
            mesh.SetCluster("collector", collectorHttp2).SetEndpoints("collector", collector);
        }

        mesh.Serve(Host, port);
        var listener = DataPlane.Tests.Resources.Listener(Host, Host);
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        var log = new AccessLog { Name = "test", TypedConfig = Any.Pack(logger) };
        change?.Invoke(log);
        manager.AccessLog.Add(log);
        listener.ApiListener = new ApiListener { ApiListener_ = Any.Pack(manager) };
        mesh.Xds.Set(ListenerType.Instance, listener);
        return mesh;
    }
}
