using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Mesh.Xds.Bootstrap;
using Opentelemetry.Proto.Collector.Trace.V1;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Resource.V1;
using Opentelemetry.Proto.Trace.V1;
using Event = Opentelemetry.Proto.Trace.V1.Span.Types.Event;
using SpanKind = Opentelemetry.Proto.Trace.V1.Span.Types.SpanKind;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Spans as OTLP has them, and the resource that they are of.</summary>
internal sealed class OtlpSpans
{
    // SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK is left out: whether a parent is remote is not known here.
    private const uint Sampled = 1;

    private readonly Resource _resource = new();

    public OtlpSpans(string serviceName, TraceProvider.OpenTelemetry? provider)
    {
        foreach (var (name, value) in provider?.Resource ?? new Dictionary<string, string>())
        {
            _resource.Attributes.Add(Attribute(name, value));
        }

        if ((provider?.NamesService ?? true) && _resource.Attributes.All(attribute => attribute.Key != "service.name"))
        {
            _resource.Attributes.Add(Attribute("service.name", serviceName));
        }

        if (provider?.NamesLibrary ?? true)
        {
            _resource.Attributes.Add(Attribute("telemetry.sdk.language", "dotnet"));
            _resource.Attributes.Add(Attribute("telemetry.sdk.name", "mesh"));
            _resource.Attributes.Add(Attribute("telemetry.sdk.version", XdsNode.UserAgentVersion));
        }
    }

    public ExportTraceServiceRequest Request(IReadOnlyList<FinishedSpan> spans)
    {
        var scope = new ScopeSpans { Scope = new InstrumentationScope { Name = MeshActivitySource.Name, Version = XdsNode.UserAgentVersion } };
        scope.Spans.AddRange(spans.Select(Of));
        return new ExportTraceServiceRequest { ResourceSpans = { new ResourceSpans { Resource = _resource, ScopeSpans = { scope } } } };
    }

    private static Span Of(FinishedSpan span)
    {
        var message = new Span
        {
            TraceId = Bytes(span.TraceId),
            SpanId = Bytes(span.Id),
            ParentSpanId = span.ParentId == default ? ByteString.Empty : Bytes(span.ParentId),
            TraceState = span.State ?? "",
            Flags = Sampled,
            Name = span.Name,
            Kind = span.Kind switch
            {
                ActivityKind.Client => SpanKind.Client,
                ActivityKind.Server => SpanKind.Server,
                _ => SpanKind.Internal,
            },
            StartTimeUnixNano = Nanoseconds(span.Began),
            EndTimeUnixNano = Nanoseconds(span.Began + span.Duration),
        };
        if (span.IsError)
        {
            message.Status = new Status { Code = Status.Types.StatusCode.Error };
        }

        foreach (var (name, value) in span.Tags)
        {
            if (value is not null)
            {
                message.Attributes.Add(Attribute(name, value));
            }
        }

        foreach (var happened in span.Events)
        {
            var told = new Event { TimeUnixNano = Nanoseconds(happened.Timestamp), Name = happened.Name };
            told.Attributes.AddRange(happened.Tags.Where(tag => tag.Value is not null).Select(tag => Attribute(tag.Key, tag.Value!)));
            message.Events.Add(told);
        }

        return message;
    }

    private static KeyValue Attribute(string name, object value)
        => new()
        {
            Key = name,
            Value = value switch
            {
                string text => new AnyValue { StringValue = text },
                bool flag => new AnyValue { BoolValue = flag },
                int number => new AnyValue { IntValue = number },
                long number => new AnyValue { IntValue = number },
                double number => new AnyValue { DoubleValue = number },
                _ => new AnyValue { StringValue = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "" },
            },
        };

    private static ByteString Bytes(ActivityTraceId id)
    {
        System.Span<byte> bytes = stackalloc byte[16];
        id.CopyTo(bytes);
        return ByteString.CopyFrom(bytes);
    }

    private static ByteString Bytes(ActivitySpanId id)
    {
        System.Span<byte> bytes = stackalloc byte[8];
        id.CopyTo(bytes);
        return ByteString.CopyFrom(bytes);
    }

    private static ulong Nanoseconds(DateTimeOffset time) => (ulong)Math.Max(0, (time - DateTimeOffset.UnixEpoch).Ticks) * 100;
}
