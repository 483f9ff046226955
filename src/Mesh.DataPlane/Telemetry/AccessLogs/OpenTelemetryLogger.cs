using Google.Protobuf;
using Mesh.DataPlane.Formatting;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Logs.V1;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Entries as records of OpenTelemetry.</summary>
internal sealed class OpenTelemetryLogger(AccessLoggerSettings.OpenTelemetry settings, OpenTelemetryOutput output) : AccessLogger
{
    public override void Log(in FormatContext context)
    {
        if (context.Record is not { } record)
        {
            return;
        }

        var entry = new LogRecord
        {
            TimeUnixNano = (ulong)((context.StartTime ?? record.StartTime).UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100,
            Body = settings.Body?.Of(context),
        };
        foreach (var (name, value) in settings.Attributes)
        {
            entry.Attributes.Add(new KeyValue { Key = name, Value = value.Of(context) });
        }

        foreach (var tag in settings.Collector.Tags)
        {
            if (tag.ValueOf(context) is { } value)
            {
                entry.Attributes.Add(new KeyValue { Key = tag.Name, Value = new AnyValue { StringValue = value } });
            }
        }

        if (record.Span is { } span && span.TraceId != default)
        {
            Span<byte> id = stackalloc byte[16];
            span.TraceId.CopyTo(id);
            entry.TraceId = ByteString.CopyFrom(id);
            span.SpanId.CopyTo(id[..8]);
            entry.SpanId = ByteString.CopyFrom(id[..8]);
        }

        output.Add(entry, entry.CalculateSize());
    }
}
