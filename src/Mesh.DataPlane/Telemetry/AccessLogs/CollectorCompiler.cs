using Envoy.Config.Core.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Headers;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Compiles the loggers that send entries to a service.</summary>
internal static class CollectorCompiler
{
    // A service that takes no entries may not keep them waiting.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeastInterval = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MostInterval = TimeSpan.FromHours(1);
    private const int MostBytes = 16 * 1024 * 1024;

    /// <exception cref="ResourceRejectedException">It names no cluster, or asks for what is not done.</exception>
    public static CollectorSettings Compile(CommonGrpcAccessLogConfig? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            throw new ResourceRejectedException(path, "must be set");
        }

        if (message.TransportApiVersion is not (ApiVersion.V3 or ApiVersion.Auto))
        {
            throw new ResourceRejectedException(path + ".transport_api_version", "must be V3");
        }

        if (message.GrpcStreamRetryPolicy is not null)
        {
            notes.Add(path + ".grpc_stream_retry_policy is not applied: a stream that has ended is opened anew for the next entries, later each time");
        }

        NoFilterState(message.FilterStateObjectsToLog, path, notes);
        return Collector(
            message.GrpcService ?? throw new ResourceRejectedException(path + ".grpc_service", "must be set"), message.LogName, message.BufferFlushInterval, message.BufferSizeBytes, message.CustomTags, path, path + ".grpc_service", notes);
    }

    /// <exception cref="ResourceRejectedException">It names no cluster, or asks for what is not done.</exception>
    public static AccessLoggerSettings.OpenTelemetry Compile(OpenTelemetryAccessLogConfig message, string path, ICollection<string> notes)
    {
        if (message.Formatters.Count > 0)
        {
            notes.Add(path + ".formatters are not applied: the commands of Envoy's own formatters are built in, and there are no others");
        }

        if (message.StatPrefix.Length > 0)
        {
            notes.Add(path + ".stat_prefix is not applied: counters have the log's name as a label");
        }

        NoFilterState(message.FilterStateObjectsToLog, path, notes);
        HttpCollector? http = null;
        CollectorSettings collector;
#pragma warning disable CS0612 // Where Istio's older versions say it.
        if (message.HttpService is { } service)
        {
            var (uri, timeout) = CallCompiler.Uri(service.HttpUri ?? throw new ResourceRejectedException(path + ".http_service.http_uri", "must be set"), path + ".http_service.http_uri");
            http = new HttpCollector(uri, Headers(service.RequestHeadersToAdd, path + ".http_service.request_headers_to_add", notes));
            collector = Buffered(
                new CollectorSettings(new ClusterTarget(service.HttpUri.Cluster, timeout), message.LogName), message.BufferFlushInterval, message.BufferSizeBytes, message.CustomTags, path);
        }
        else if (message.GrpcService is { } grpc)
        {
            collector = Collector(grpc, message.LogName, message.BufferFlushInterval, message.BufferSizeBytes, message.CustomTags, path, path + ".grpc_service", notes);
        }
        else
        {
            collector = Compile(message.CommonConfig, path + ".common_config", notes);
        }
#pragma warning restore CS0612

        return new AccessLoggerSettings.OpenTelemetry(collector)
        {
            Http = http,
            Body = message.Body is { } body ? OtlpValue.Compile(body, path + ".body") : null,
            Attributes = [.. (message.Attributes?.Values ?? []).Select((a, i) => (a.Key, OtlpValue.Compile(a.Value ?? new(), $"{path}.attributes.values[{i}].value")))],
            ResourceAttributes = [.. message.ResourceAttributes?.Values.Select(v => v.Clone()) ?? []],
            DisablesBuiltInLabels = message.DisableBuiltinLabels,
        };
    }

    private static CollectorSettings Collector(
        GrpcService service, string name, Duration? interval, uint? bytes, RepeatedField<Envoy.Type.Tracing.V3.CustomTag> tags, string path, string servicePath, ICollection<string> notes)
    {
        var target = CallCompiler.Grpc(service, servicePath, DefaultTimeout, notes);
        var headers = service.InitialMetadata.Select((h, i) => Header(h, $"{servicePath}.initial_metadata[{i}]")).ToList();
        return Buffered(new CollectorSettings(target, name), interval, bytes, tags, path) with { Headers = headers };
    }

    private static CollectorSettings Buffered(CollectorSettings collector, Duration? interval, uint? bytes, RepeatedField<Envoy.Type.Tracing.V3.CustomTag> tags, string path)
        => collector with
        {
            FlushInterval = interval is null ? TimeSpan.FromSeconds(1)
                : interval.ToTimeSpan() is var given && given >= LeastInterval ? given < MostInterval ? given : MostInterval
                : throw new ResourceRejectedException(path + ".buffer_flush_interval", "must be greater than zero"),
            BufferBytes = (int)Math.Min(bytes ?? 16 * 1024, MostBytes),
            Tags = [.. tags.Select((t, i) => CustomTag.Compile(t, $"{path}.custom_tags[{i}]"))],
        };

    private static IReadOnlyList<(string Name, string Value)> Headers(RepeatedField<HeaderValueOption> options, string path, ICollection<string> notes)
        => [.. options.Select((o, i) =>
        {
            var addition = HeaderMutationsCompiler.Addition(o, $"{path}[{i}]", notes);
            return addition.Value.Literal is { } literal
                ? (addition.Name.Value, literal)
                : throw new ResourceRejectedException($"{path}[{i}].header.value", "must be a text without commands: an entry is sent with others, and there is no request to tell of");
        })];

    private static (string Name, string Value) Header(HeaderValue header, string path)
        => !Matching.HeaderName.IsValid(header.Key) ? throw new ResourceRejectedException(path + ".key", $"'{header.Key}' is no header name")
            : !HeaderValues.IsSafe(header.Value) ? throw new ResourceRejectedException(path + ".value", "must not contain control characters")
            : IsMetadata(header) ? (header.Key.ToLowerInvariant(), header.Value)
            : throw new ResourceRejectedException(path, $"'{header.Key}' is gRPC's own, or its value is no printable ASCII");

    private static bool IsMetadata(HeaderValue header)
    {
        try
        {
            new GrpcMetadata().Add(header.Key, header.Value);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void NoFilterState(RepeatedField<string> names, string path, ICollection<string> notes)
    {
        if (names.Count > 0)
        {
            notes.Add(path + ".filter_state_objects_to_log is not applied: there is no filter state here");
        }
    }
}
