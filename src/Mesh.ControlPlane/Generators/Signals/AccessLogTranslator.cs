using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Filters.Cel.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Signals;
using Opentelemetry.Proto.Common.V1;
using ExtensionProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider;
using FileProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyFileAccessLogProvider;
using FormatCase = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyFileAccessLogProvider.Types.LogFormat.LogFormatOneofCase;
using HttpProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyHttpGrpcV3LogProvider;
using OtelProvider = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.Types.EnvoyOpenTelemetryLogProvider;
using ProviderKind = Istio.Mesh.V1Alpha1.MeshConfig.Types.ExtensionProvider.ProviderOneofCase;
using Value = Google.Protobuf.WellKnownTypes.Value;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>Providers of access logs as Envoy's loggers, with Istio's names, formats and shapes.</summary>
internal sealed class AccessLogTranslator(Proxy proxy, MeshConfig mesh, WorkloadProxyConfig own, TelemetryProviders providers, Collectors collectors)
{
    private const string File = "envoy.access_loggers.file";
    private const string HttpGrpc = "envoy.access_loggers.http_grpc";
    private const string TcpGrpc = "envoy.tcp_grpc_access_log";
    private const string Otel = "envoy.access_loggers.open_telemetry";
    private const string CelFilter = "envoy.access_loggers.extension_filters.cel";
    private const string HttpLogName = "http_envoy_accesslog";
    private const string TcpLogName = "tcp_envoy_accesslog";
    private const string OtelLogName = "otel_envoy_accesslog";
    private const string QueryFormatter = "envoy.formatter.req_without_query";
    private const string QueryCommand = "%REQ_WITHOUT_QUERY";

    /// <summary>It has no fields: its name is all there is of it.</summary>
    private const string QueryFormatterType = "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery";

    /// <summary>Who the other end is, under the names that Istio's proxies keep it by.</summary>
    private static readonly string[] StateOfPeers = ["upstream_peer", "downstream_peer"];
    private static readonly string[] OlderStateOfPeers = [.. StateOfPeers, "wasm.upstream_peer", "wasm.upstream_peer_id", "wasm.downstream_peer", "wasm.downstream_peer_id"];

    // A library keeps no such state: it would say for each listener that it does not.
    private string[] Peers => proxy.IsInProcess ? [] : StateOfPeers;

    private string[] OlderPeers => proxy.IsInProcess ? [] : OlderStateOfPeers;

    /// <summary>What is written of requests, or of connections.</summary>
    public IReadOnlyList<AccessLog> Translate(AccessLogChoice choice, bool isHttp)
    {
        var logs = new List<AccessLog>();
        var isSaid = choice.IsSaid && choice.Providers.Count == 0;
        foreach (var (name, spec) in choice.Providers.OrderBy(provider => provider.Key, StringComparer.Ordinal))
        {
            if (providers.Find(name) is not { } provider || !IsOfAccessLogs(provider))
            {
                continue;
            }

            // A provider that writes nothing is an answer as well: the MeshConfig's file is not written in its place.
            isSaid = true;
            if (!spec.IsDisabled && Of(provider, isHttp) is { } log)
            {
                log.Filter = spec.Filter is { } filter ? Cel(filter.Expression) : null;
                logs.Add(log);
            }
        }

        return isSaid ? logs : [.. OfMesh(isHttp)];
    }

    public static bool IsOfAccessLogs(ExtensionProvider provider)
        => provider.ProviderCase is ProviderKind.EnvoyFileAccessLog or ProviderKind.EnvoyHttpAls or ProviderKind.EnvoyTcpAls or ProviderKind.EnvoyOtelAls;

    /// <summary>What the MeshConfig says by itself, where no Telemetry and no default provider does.</summary>
    private IEnumerable<AccessLog> OfMesh(bool isHttp)
    {
        if (mesh.AccessLogFile.Length > 0)
        {
            yield return OfMesh(mesh.AccessLogFile);
        }

        if (mesh.EnableEnvoyAccessLogService && own.Config.EnvoyAccessLogService is { Address.Length: > 0 } service
            && collectors.OfAddress(service.Address) is { } collector)
        {
            var common = Common(collector, isHttp ? HttpLogName : TcpLogName, OlderPeers);
            yield return isHttp ? Log(HttpGrpc, new HttpGrpcAccessLogConfig { CommonConfig = common }) : Log(TcpGrpc, new TcpGrpcAccessLogConfig { CommonConfig = common });
        }
    }

    private AccessLog? Of(ExtensionProvider provider, bool isHttp) => provider.ProviderCase switch
    {
        // The built-in one writes as the MeshConfig says where it says nothing itself.
        ProviderKind.EnvoyFileAccessLog when provider is { Name: TelemetryProviders.Envoy, EnvoyFileAccessLog: { LogFormat: null, OmitEmptyValues: false } } => OfMesh(PathOf(provider.EnvoyFileAccessLog)),
        ProviderKind.EnvoyFileAccessLog => FileLog(PathOf(provider.EnvoyFileAccessLog), FormatOf(provider.EnvoyFileAccessLog)),
        ProviderKind.EnvoyHttpAls when isHttp => OfHttp(provider.EnvoyHttpAls),
        ProviderKind.EnvoyTcpAls when !isHttp && collectors.Find(provider.EnvoyTcpAls.Service, provider.EnvoyTcpAls.Port) is { } collector
            => Log(TcpGrpc, new TcpGrpcAccessLogConfig
            {
                CommonConfig = Common(collector, Or(provider.EnvoyTcpAls.LogName, TcpLogName), provider.EnvoyTcpAls.FilterStateObjectsToLog is { Count: > 0 } objects ? objects : Peers),
            }),
        ProviderKind.EnvoyOtelAls => OfOtel(provider.EnvoyOtelAls),
        _ => null,
    };

    private static string PathOf(FileProvider provider) => Or(provider.Path, "/dev/stdout");

    private static SubstitutionFormatString FormatOf(FileProvider provider)
    {
        var format = provider.LogFormat?.LogFormatCase == FormatCase.Labels
            ? Json(provider.LogFormat.Labels.Fields.Count > 0 ? provider.LogFormat.Labels : AccessLogFormats.IstioJson)
            : Text(provider.LogFormat?.Text ?? "");
        format.OmitEmptyValues = provider.OmitEmptyValues;
        return format;
    }

    private AccessLog OfMesh(string path)
    {
        var format = mesh.AccessLogEncoding == MeshConfig.Types.AccessLogEncoding.Json
            ? Json(mesh.AccessLogFormat.Length > 0 ? JsonParser.Default.Parse<Struct>(mesh.AccessLogFormat) : AccessLogFormats.IstioJson)
            : Text(mesh.AccessLogFormat);
        return FileLog(path, format);
    }

    private AccessLog? OfHttp(HttpProvider provider)
        => collectors.Find(provider.Service, provider.Port) is { } collector
            ? Log(HttpGrpc, new HttpGrpcAccessLogConfig
            {
                CommonConfig = Common(collector, Or(provider.LogName, HttpLogName), provider.FilterStateObjectsToLog is { Count: > 0 } objects ? objects : Peers),
                AdditionalRequestHeadersToLog = { provider.AdditionalRequestHeadersToLog },
                AdditionalResponseHeadersToLog = { provider.AdditionalResponseHeadersToLog },
                AdditionalResponseTrailersToLog = { provider.AdditionalResponseTrailersToLog },
            })
            : null;

    private AccessLog? OfOtel(OtelProvider provider)
    {
        if (collectors.Find(provider.Service, provider.Port) is not { } collector)
        {
            return null;
        }

        var text = Or(provider.LogFormat?.Text ?? "", AccessLogFormats.IstioText);
        var labels = provider.LogFormat?.Labels?.Fields;
        var log = new OpenTelemetryAccessLogConfig
        {
#pragma warning disable CS0612 // Istio says it in the older field, which every Envoy reads.
            CommonConfig = Common(collector, Or(provider.LogName, OtelLogName), OlderPeers),
#pragma warning restore CS0612
            DisableBuiltinLabels = true,
            Body = new AnyValue { StringValue = text },
        };
        if (labels is { Count: > 0 })
        {
            log.Attributes = new KeyValueList();
            log.Attributes.Values.AddRange(labels
                .OrderBy(label => label.Key, StringComparer.Ordinal)
                .Select(label => new Opentelemetry.Proto.Common.V1.KeyValue { Key = label.Key, Value = new AnyValue { StringValue = label.Value.StringValue } }));
        }

        if (text.Contains(QueryCommand, StringComparison.Ordinal) || labels?.Values.Any(LeavesOutQueries) == true)
        {
            log.Formatters.Add(WithoutQuery());
        }

        return Log(Otel, log);
    }

    /// <summary>Istio ends every line, whether its format says so or not.</summary>
    private static SubstitutionFormatString Text(string text)
    {
        text = text.Length == 0 ? AccessLogFormats.IstioText : text.EndsWith('\n') ? text : text + "\n";
        var format = new SubstitutionFormatString { TextFormatSource = new DataSource { InlineString = text } };
        if (text.Contains(QueryCommand, StringComparison.Ordinal))
        {
            format.Formatters.Add(WithoutQuery());
        }

        return format;
    }

    private static SubstitutionFormatString Json(Struct json)
    {
        var format = new SubstitutionFormatString { JsonFormat = json, JsonFormatOptions = new JsonFormatOptions() };
        if (json.Fields.Values.Any(LeavesOutQueries))
        {
            format.Formatters.Add(WithoutQuery());
        }

        return format;
    }

    private static bool LeavesOutQueries(Value value) => value.StringValue.Contains(QueryCommand, StringComparison.Ordinal);

    private static TypedExtensionConfig WithoutQuery() => new() { Name = QueryFormatter, TypedConfig = new Any { TypeUrl = QueryFormatterType } };

    private static CommonGrpcAccessLogConfig Common(Collector collector, string logName, IEnumerable<string> filterState) => new()
    {
        LogName = logName,
        GrpcService = new GrpcService { EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = collector.Cluster.ToString(), Authority = collector.Host } },
        TransportApiVersion = ApiVersion.V3,
        FilterStateObjectsToLog = { filterState },
    };

    private static AccessLog FileLog(string path, SubstitutionFormatString format) => Log(File, new FileAccessLog { Path = path, LogFormat = format });

    private static AccessLog Log(string name, IMessage config) => new() { Name = name, TypedConfig = Any.Pack(config) };

    private static AccessLogFilter Cel(string expression) => new()
    {
        ExtensionFilter = new ExtensionFilter { Name = CelFilter, TypedConfig = Any.Pack(new ExpressionFilter { Expression = expression }) },
    };

    private static string Or(string text, string otherwise) => text.Length > 0 ? text : otherwise;
}
