using Envoy.Config.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Filters.Cel.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Tests.Decoding.Fields;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>Of every field that says something of an access log: honoured, told or refused; <c>access-log-fields.txt</c> says which.</summary>
public sealed class AccessLogFieldTests
{
    private static readonly string[] _nothingToDo =
    [
        "envoy.config.accesslog.v3.AccessLog.name",

        // All of what can be asked for is there anyway, and the rest is refused where an expression uses it.
        "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter.cel_config",

        // For when there is neither grpc_service nor http_service.
        "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig.common_config",
    ];

    private readonly FieldWalk _walk = new("envoy.config.core.v3.CelExpressionConfig", "opentelemetry.proto.common.v1.KeyValueList", "opentelemetry.proto.common.v1.AnyValue", "envoy.config.core.v3.GrpcService", "envoy.config.core.v3.HttpService", "envoy.config.core.v3.RetryPolicy", "envoy.config.route.v3.HeaderMatcher", "envoy.type.matcher.v3.MetadataMatcher");

    public AccessLogFieldTests()
    {
        Walk(new StdoutAccessLog());
        Walk(new StderrAccessLog());
        Walk(new FileAccessLog { Path = "/a" });
        Walk(new HttpGrpcAccessLogConfig { CommonConfig = Common() });
        Walk(new TcpGrpcAccessLogConfig { CommonConfig = Common() });
        Walk(new OpenTelemetryAccessLogConfig { LogName = "l", GrpcService = Common().GrpcService });
        _walk.Go(new FieldSite(() => Log(new StdoutAccessLog()), log => Decode((AccessLog)log)));
        _walk.Go(new FieldSite(() => new ExpressionFilter { Expression = "true" }, filter =>
        {
            var log = Log(new StdoutAccessLog());
            log.Filter = new Envoy.Config.Accesslog.V3.AccessLogFilter { ExtensionFilter = new ExtensionFilter { Name = "cel", TypedConfig = Any.Pack(filter) } };
            return Decode(log);
        }));
    }

    [Fact]
    public void Every_field_can_be_set_by_itself() => _walk.Problems.ShouldBeEmpty();

    [Fact]
    public void Nothing_is_ignored_in_silence()
        => _walk.Outcomes.Where(o => o.Value == FieldOutcome.Ignored).Select(o => o.Key).ShouldBe(_nothingToDo, ignoreOrder: true);

    [Fact]
    public void The_table_says_what_becomes_of_every_field()
    {
        using var reader = new StreamReader(typeof(AccessLogFieldTests).Assembly.GetManifestResourceStream("access-log-fields.txt")!);
        var expected = reader.ReadToEnd().Split('\n');

        var actual = FieldTable.Of(_walk).Split('\n');

        var differences = expected.Except(actual).Select(l => "- " + l).Concat(actual.Except(expected).Select(l => "+ " + l));
        string.Join('\n', differences).ShouldBeEmpty("if that is as it should be, it belongs into Telemetry/AccessLogs/access-log-fields.txt, and into docs/signals/access-logs.md");
    }

    private static CommonGrpcAccessLogConfig Common() => new()
    {
        LogName = "l",
        TransportApiVersion = Envoy.Config.Core.V3.ApiVersion.V3,
        GrpcService = new() { EnvoyGrpc = new() { ClusterName = "c" } },
    };

    private static AccessLog Log(IMessage logger) => new() { Name = "n", TypedConfig = Any.Pack(logger) };

    private static Decoded Decode(AccessLog log)
    {
        var notes = new List<string>();
        return new Decoded(AccessLogCompiler.Compile(new RepeatedField<AccessLog> { log }, "access_log", notes)) { Notes = notes };
    }

    private void Walk<T>(T logger)
        where T : IMessage<T>, IDeepCloneable<T>
        => _walk.Go(new FieldSite(() => logger.Clone(), message => Decode(Log(message))));

    private sealed record Decoded(IReadOnlyList<AccessLogSettings> Logs) : Resource;
}
