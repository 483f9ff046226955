using Envoy.Data.Accesslog.V3;
using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Entries for an access log service.</summary>
internal sealed class GrpcLogger(AccessLoggerSettings.Grpc settings, Func<GrpcOutput<HTTPAccessLogEntry>?> requests, Func<GrpcOutput<TCPAccessLogEntry>?> connections) : AccessLogger
{
    private readonly AccessLogEntries.HeaderNames _names = new(settings);
    private GrpcOutput<HTTPAccessLogEntry>? _requests;
    private GrpcOutput<TCPAccessLogEntry>? _connections;

    public override void Log(in FormatContext context)
    {
        if (context.Record is not { } record)
        {
            return;
        }

        if (record.IsConnection)
        {
            var entry = AccessLogEntries.Tcp(context, record, settings);
            (_connections ??= connections())?.Add(entry, entry.CalculateSize());
        }
        else
        {
            var entry = AccessLogEntries.Http(context, record, settings, _names);
            (_requests ??= requests())?.Add(entry, entry.CalculateSize());
        }
    }
}
