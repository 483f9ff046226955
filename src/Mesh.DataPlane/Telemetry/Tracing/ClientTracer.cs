using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// The client's door: one span a request, whose parent is what the calling code runs under. An application that listens has its sampler decide; where
/// nobody listens and a collector is configured, the mesh decides about traces that begin here, and follows those that do not.
/// </summary>
internal sealed class ClientTracer(MeshTracing tracing, TracingSettings settings, SpanExporter? exporter) : RequestTracer
{
    // Baggage and W3C as they travel wherever nobody says otherwise.
    private static readonly DistributedContextPropagator W3C = DistributedContextPropagator.CreateW3CPropagator();

    private readonly ContextFormats _formats = settings.Provider?.Formats ?? ContextFormats.Process;
    private readonly bool _redacts = tracing.Options.RedactQuery;

    public override void OnBegin(RequestRecord record)
    {
        var request = record.Request!;
        var reader = record.RequestHeaders!;
        record.RequestId = reader.First(request, RequestIds.Name) is { Length: > 0 and <= RequestIds.MaxLength } own ? own
            : ServedRequest.Id ?? (settings.RequestIds.Generates ? RequestIds.Create(tracing.Random) : null);

        var current = Activity.Current;
        var isListenedTo = MeshActivitySource.Shared.HasListeners();
        if (current is null && exporter is null && !isListenedTo)
        {
            // What the application has written into the message goes as it is.
            return;
        }

        // What it has written goes before what it runs under, unless both are one trace.
        var isRemote = TraceHeaders.TryRead(reader, request, out var parent, out var told, out var formats) && !(current is { IdFormat: ActivityIdFormat.W3C } && current.TraceId == parent.TraceId);
        record.TraceFormats = formats;
        if (isListenedTo)
        {
            Begin(record, MeshActivitySource.Shared.CreateActivity(
                SpanTags.NameOf(record), ActivityKind.Client, isRemote ? parent : default, SpanTags.OfStart(record, _redacts)));
        }
        else if (exporter is not null && IsSampled(record, current, isRemote, parent, told))
        {
            Begin(record, MeshActivitySource.Create(SpanTags.NameOf(record), ActivityKind.Client, isRemote ? parent : default, settings.Provider?.Sampler));
        }

        if (record.Span is { } span)
        {
            record.Trace = span.Context;
        }
        else if (isRemote)
        {
            record.Trace = parent;
        }
        else if (current is { IdFormat: ActivityIdFormat.W3C })
        {
            record.Trace = current.Context;
        }
        else if (exporter is not null && !settings.KeepsContext)
        {
            // Whoever comes after shall not decide again.
            record.UnrecordedTrace = TraceHeaders.Unrecorded(tracing.Random);
        }
    }

    public override void Inject(RequestRecord record, AttemptInput input)
    {
        var request = input.Request;
        var headers = input.Injected ??= new InjectedHeaders();
        if (record.RequestId is { } id)
        {
            headers.Set(request, RequestIds.Header, id);
        }

        if (record.UnrecordedTrace is { } unrecorded)
        {
            // What the application has written itself, if only that it does not trace, is not contradicted.
            Write(headers, request, unrecorded, _formats == ContextFormats.Process && record.TraceFormats == ContextFormats.Process ? ContextFormats.W3C : _formats);
            return;
        }

        if (settings.KeepsContext || record.Trace == default)
        {
            return;
        }

        var activity = record.Span ?? (Activity.Current is { } current && current.TraceId == record.Trace.TraceId ? current : null);
        if (_formats == ContextFormats.Process)
        {
            if (activity is not null)
            {
                DistributedContextPropagator.Current.Inject(activity, input, static (carrier, name, value) => Set(carrier, name, value, ContextFormats.W3C));
            }
        }
        else if (activity is not null)
        {
            W3C.Inject(activity, input, (_formats & ContextFormats.W3C) != 0
                ? static (carrier, name, value) => Set(carrier, name, value, ContextFormats.W3C)
                : static (carrier, name, value) => Set(carrier, name, value, ContextFormats.Process));
        }

        // Where the application has written one itself, it must not tell of another span.
        var formats = _formats | (record.Span is null ? ContextFormats.Process : record.TraceFormats);
        if (formats != ContextFormats.Process)
        {
            Write(headers, request, record.Trace, activity is null ? formats : formats & ~(_formats & ContextFormats.W3C));
        }
    }

    public override void OnAttempt(RequestRecord record, in Attempt attempt, int number)
    {
        if (record.Span is not { IsAllDataRequested: true } span || (number == 1 && attempt.Response is { } first && (int)first.StatusCode < 500))
        {
            return;
        }

        var tags = new ActivityTagsCollection { ["mesh.attempt"] = number };
        if (attempt.Decision.Endpoint is { } endpoint)
        {
            tags["mesh.endpoint"] = endpoint.Resource.AddressText;
        }

        if (attempt.Response is { } response)
        {
            tags["http.response.status_code"] = (int)response.StatusCode;
        }
        else if (attempt.Reply is { } reply)
        {
            tags["error.type"] = ((int)reply.Status).ToString(System.Globalization.CultureInfo.InvariantCulture);
            tags["mesh.response_flags"] = reply.Flags;
            tags["mesh.response_code_details"] = reply.Details;
        }

        span.AddEvent(new ActivityEvent("mesh.attempt", record.Time.GetUtcNow(), tags));
    }

    public override MirrorSpan? BeginMirror(RequestRecord record, HttpRequestMessage copy)
    {
        if (record.Span is not { } original)
        {
            return null;
        }

        // As Envoy calls it.
        const string Name = "mirror";
        var span = MeshActivitySource.Shared.HasListeners()
            ? MeshActivitySource.Shared.CreateActivity(Name, ActivityKind.Client, original.Context)
            : original.Recorded ? MeshActivitySource.Create(Name, ActivityKind.Client, original.Context, settings.Provider?.Sampler) : null;
        if (span is null)
        {
            return null;
        }

        SpanClock.Start(span, record.Time.GetUtcNow());
        if (span.IsAllDataRequested)
        {
            foreach (var (name, value) in SpanTags.OfStart(record, _redacts))
            {
                span.SetTag(name, value);
            }

            span.SetTag("component", "proxy");
            span.SetTag("mesh.mirror", "true");
            if (record.RequestId is { } id)
            {
                span.SetTag("guid:x-request-id", id);
            }
        }

        if (!settings.KeepsContext)
        {
            // The copy has the original's headers: each that tells of a span tells of this one.
            TraceHeaders.TryRead(HttpRequestHeaderReader.Instance, copy, out _, out _, out var formats);
            Write(new InjectedHeaders(), copy, span.Context, formats);
        }

        return new MirrorSpan(span, record.Time, exporter);
    }

    public override void OnEnd(RequestRecord record)
    {
        if (record.Span is not { } span)
        {
            return;
        }

        if (span.IsAllDataRequested)
        {
            if (SpanNames.Of(record, settings) is { } name)
            {
                span.DisplayName = name;
            }

            SpanTags.Write(span, record, settings, tracing.Workload, _redacts);
            if (settings.IsVerbose)
            {
                SpanEvents.Write(span, record);
            }
        }

        SpanClock.Stop(span, record.StartTime + record.Duration);
        if (exporter is not null && span.Recorded)
        {
            exporter.Add(FinishedSpan.Of(span, ActivityKind.Client, span.DisplayName, record.StartTime, record.Duration));
        }
    }

    private static void Begin(RequestRecord record, Activity? span)
    {
        if (span is not null)
        {
            SpanClock.Start(span, record.StartTime);
            record.Span = span;
        }
    }

    private static void Set(object? carrier, string name, string value, ContextFormats formats)
    {
        if (formats != ContextFormats.Process || name is not (TraceHeaders.Parent or TraceHeaders.State))
        {
            var input = (AttemptInput)carrier!;
            input.Injected!.Set(input.Request, name, value);
        }
    }

    private static void Write(InjectedHeaders headers, HttpRequestMessage request, string unrecorded, ContextFormats formats)
    {
        if ((formats & ContextFormats.W3C) != 0)
        {
            headers.Set(request, TraceHeaders.Parent, unrecorded);
        }

        if ((formats & ContextFormats.B3) != 0)
        {
            headers.Set(request, B3Context.TraceIdHeader, TraceHeaders.TraceIdIn(unrecorded).ToString());
            headers.Set(request, B3Context.SpanIdHeader, TraceHeaders.SpanIdIn(unrecorded).ToString());
            headers.Set(request, B3Context.SampledHeader, "0");
        }
    }

    private static void Write(InjectedHeaders headers, HttpRequestMessage request, in ActivityContext context, ContextFormats formats)
    {
        var sampled = (context.TraceFlags & ActivityTraceFlags.Recorded) != 0;
        if ((formats & ContextFormats.W3C) != 0)
        {
            headers.Set(request, TraceHeaders.Parent, TraceHeaders.Text(context));
            if (context.TraceState is { Length: > 0 } state)
            {
                headers.Set(request, TraceHeaders.State, state);
            }
        }

        if ((formats & ContextFormats.B3) != 0)
        {
            headers.Set(request, B3Context.TraceIdHeader, B3Context.Text(context.TraceId));
            headers.Set(request, B3Context.SpanIdHeader, context.SpanId.ToHexString());
            headers.Set(request, B3Context.SampledHeader, sampled ? "1" : "0");
        }

        if ((formats & ContextFormats.B3Single) != 0)
        {
            headers.Set(request, B3Context.SingleHeader, $"{B3Context.Text(context.TraceId)}-{context.SpanId.ToHexString()}-{(sampled ? '1' : '0')}");
        }
    }

    private bool IsSampled(RequestRecord record, Activity? current, bool isRemote, in ActivityContext parent, bool? told)
    {
        if (settings.Provider?.Sampler is not null)
        {
            // It sees the trace's id, and decides when the span is made.
            return true;
        }

        if (isRemote || current is null)
        {
            return told ?? Decides(record);
        }

        return current.Recorded || (Undecided.Is(current) && Decides(record));
    }

    private bool Decides(RequestRecord record)
        => (settings.Sampling ?? tracing.DefaultSampling).Decide(record, settings.RequestIds, tracing.Random) != TraceReason.NotTraceable;
}
