using Envoy.Config.Accesslog.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Compiles <c>access_log</c>: of a connection manager, or of <c>tcp_proxy</c>.</summary>
internal static class AccessLogCompiler
{
    private static readonly Dictionary<string, Func<ByteString, string, ICollection<string>, AccessLoggerSettings>> _loggers = new(StringComparer.Ordinal)
    {
        [FileAccessLog.Descriptor.FullName] = (body, path, notes) => File(Read(FileAccessLog.Parser, body, path, notes), path, notes),
        [StdoutAccessLog.Descriptor.FullName] = (body, path, notes)
            => new AccessLoggerSettings.Lines(LineOutputs.Stdout, AccessLogFormatCompiler.Compile(Read(StdoutAccessLog.Parser, body, path, notes).LogFormat, path + ".log_format", notes)),
        [StderrAccessLog.Descriptor.FullName] = (body, path, notes)
            => new AccessLoggerSettings.Lines(LineOutputs.Stderr, AccessLogFormatCompiler.Compile(Read(StderrAccessLog.Parser, body, path, notes).LogFormat, path + ".log_format", notes)),
        [HttpGrpcAccessLogConfig.Descriptor.FullName] = (body, path, notes) => Grpc(Read(HttpGrpcAccessLogConfig.Parser, body, path, notes), path, notes),
        [TcpGrpcAccessLogConfig.Descriptor.FullName] = (body, path, notes) => new AccessLoggerSettings.Grpc(
            CollectorCompiler.Compile(Read(TcpGrpcAccessLogConfig.Parser, body, path, notes).CommonConfig, path + ".common_config", notes)),
        [OpenTelemetryAccessLogConfig.Descriptor.FullName] = (body, path, notes) => CollectorCompiler.Compile(Read(OpenTelemetryAccessLogConfig.Parser, body, path, notes), path, notes),
    };

    /// <param name="logs">The logs.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="notes">Takes what is not done.</param>
    /// <param name="ofRequests">They are of requests; otherwise of connections.</param>
    /// <exception cref="ResourceRejectedException">One of them breaks a rule, or cannot be held.</exception>
    public static IReadOnlyList<AccessLogSettings> Compile(RepeatedField<AccessLog> logs, string path, ICollection<string> notes, bool ofRequests = false)
    {
        var compiled = new List<AccessLogSettings>(logs.Count);
        for (var i = 0; i < logs.Count; i++)
        {
            var at = $"{path}[{i}]";
            var filter = logs[i].Filter is { } message ? AccessLogFilterCompiler.Compile(message, at + ".filter", notes) : null;
            if (Logger(logs[i].TypedConfig, logs[i].Name, at, notes) is { } logger)
            {
                if (ofRequests && FormatCommands.FindOfConnectionsAlone(logger.NotAlwaysKnown) is { } command)
                {
                    throw new ResourceRejectedException(at + ".typed_config", $"names {FormatCommands.WhyOfConnectionsAlone(command)}");
                }

                compiled.Add(new AccessLogSettings(filter, logger));
            }
        }

        return compiled;
    }

    // A log that cannot be written is no reason to send requests elsewhere.
    private static AccessLoggerSettings? Logger(Any? config, string name, string path, ICollection<string> notes)
    {
        if (config is null)
        {
            throw new ResourceRejectedException(path + ".typed_config", "must be set");
        }

        if (!_loggers.TryGetValue(Any.GetTypeName(config.TypeUrl), out var compile))
        {
            notes.Add($"{path} is not written: there is no access logger '{name}' ({config.TypeUrl}) here");
            return null;
        }

        return compile(config.Value, path + ".typed_config", notes);
    }

#pragma warning disable CS0612 // Older control planes write the older fields.
    private static AccessLoggerSettings.Lines File(FileAccessLog message, string path, ICollection<string> notes)
        => new(message.Path, message.AccessLogFormatCase switch
        {
            FileAccessLog.AccessLogFormatOneofCase.Format => AccessLogFormatCompiler.Text(message.Format, omitEmptyValues: false, path + ".format"),
            FileAccessLog.AccessLogFormatOneofCase.JsonFormat => AccessLogFormatCompiler.Json(message.JsonFormat, omitEmptyValues: false, typed: false, path + ".json_format"),
            FileAccessLog.AccessLogFormatOneofCase.TypedJsonFormat => AccessLogFormatCompiler.Json(message.TypedJsonFormat, omitEmptyValues: false, typed: true, path + ".typed_json_format"),
            _ => AccessLogFormatCompiler.Compile(message.LogFormat, path + ".log_format", notes),
        });
#pragma warning restore CS0612

    private static AccessLoggerSettings.Grpc Grpc(HttpGrpcAccessLogConfig message, string path, ICollection<string> notes)
        => new(CollectorCompiler.Compile(message.CommonConfig, path + ".common_config", notes))
        {
            RequestHeadersToLog = Headers(message.AdditionalRequestHeadersToLog, path + ".additional_request_headers_to_log"),
            ResponseHeadersToLog = Headers(message.AdditionalResponseHeadersToLog, path + ".additional_response_headers_to_log"),
            ResponseTrailersToLog = Headers(message.AdditionalResponseTrailersToLog, path + ".additional_response_trailers_to_log"),
        };

    private static IReadOnlyList<string> Headers(RepeatedField<string> names, string path)
        => [.. names.Select((name, i) => Matching.HeaderName.IsValid(name.AsSpan(name.StartsWith(':') ? 1 : 0))
            ? name.ToLowerInvariant()
            : throw new ResourceRejectedException($"{path}[{i}]", $"'{name}' is no header name"))];

    private static T Read<T>(MessageParser<T> parser, ByteString body, string path, ICollection<string> notes)
        where T : class, IMessage<T>
    {
        var message = WireMessage.Parse(parser, body, path);
        foreach (var note in WireMessage.Validate(message, body, parser, path))
        {
            notes.Add(note);
        }

        return message;
    }
}
