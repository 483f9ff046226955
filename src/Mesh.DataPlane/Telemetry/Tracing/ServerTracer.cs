using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// The server's door: the span is the one that the server has made of the request, with what the mesh knows of it. Where the server makes none,
/// because nobody listens or logs, the mesh makes one if the request is traced, so that calls on its behalf belong to its trace.
/// </summary>
internal sealed class ServerTracer(MeshTracing tracing, TracingSettings settings, SpanExporter? exporter) : RequestTracer
{
    // What ASP.NET Core calls an activity that nobody has named.
    private const string Unnamed = "Microsoft.AspNetCore.Hosting.HttpRequestIn";

    private readonly bool _redacts = tracing.Options.RedactQuery;

    public override void OnBegin(RequestRecord record)
    {
        var served = record.Span;
        if (served is null)
        {
            Begin(record);
        }
        else if (exporter is not null && !served.Recorded && served.Source.Name.Length == 0)
        {
            // No sampler of the application's has decided, and somebody wants to know.
            Decide(record, served);
        }

        // By now it says why the request is traced.
        ServedRequest.Id = record.RequestId;
    }

    public override void Inject(RequestRecord record, AttemptInput input)
    {
    }

    public override void OnAttempt(RequestRecord record, in Attempt attempt, int number)
    {
    }

    public override void OnEnd(RequestRecord record)
    {
        if (record.Span is not { } span)
        {
            return;
        }

        if (span.IsAllDataRequested)
        {
            if ((SpanNames.Of(record, settings) ?? (record.OwnsSpan ? NameOf(span, record) : null)) is { } name)
            {
                span.DisplayName = name;
            }

            SpanTags.Write(span, record, settings, tracing.Workload, _redacts);
            if (settings.IsVerbose)
            {
                SpanEvents.Write(span, record);
            }
        }

        // One that nobody records has nobody who waits for its end either.
        if (record.OwnsSpan && (span.IsAllDataRequested || span.Recorded || span.Source.HasListeners()))
        {
            SpanClock.Stop(span, span.StartTimeUtc + record.Duration);
        }

        if (exporter is not null && span is { Recorded: true, IsAllDataRequested: true })
        {
            var named = span.DisplayName == Unnamed ? NameOf(span, record) : span.DisplayName;
            exporter.Add(FinishedSpan.Of(span, ActivityKind.Server, named, record.StartTime, record.Duration));
        }
    }

    private void Decide(RequestRecord record, Activity served)
    {
        var isRemote = TraceHeaders.TryRead(record.RequestHeaders!, record.Request!, out var parent, out var told);
        if (IsSampled(record, told) && settings.Provider?.Sampler?.Samples(isRemote ? parent : default, served.TraceId) != false)
        {
            served.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
            served.IsAllDataRequested = true;
        }
    }

    private void Begin(RequestRecord record)
    {
        var isRemote = TraceHeaders.TryRead(record.RequestHeaders!, record.Request!, out var parent, out var told);
        var own = exporter is not null && IsSampled(record, told)
            ? MeshActivitySource.Create(SpanTags.NameOf(record), ActivityKind.Server, isRemote ? parent : default, settings.Provider?.Sampler)
            : null;
        if (own is null)
        {
            if (!isRemote && exporter is null)
            {
                return;
            }

            own = new Activity(Unnamed);
            if (isRemote)
            {
                own.SetParentId(parent.TraceId, parent.SpanId, parent.TraceFlags);
                own.TraceStateString = parent.TraceState;
            }

            own.IsAllDataRequested = false;
        }
        else
        {
            own.SetStartTime(record.StartTime.UtcDateTime);
        }

        // The application runs under it.
        own.Start();
        record.Span = own;
        record.OwnsSpan = true;
    }

    private static string NameOf(Activity span, RequestRecord record)
        => span.GetTagItem("http.route") is string { Length: > 0 } route ? $"{SpanTags.NameOf(record)} {route}" : SpanTags.NameOf(record);

    private bool IsSampled(RequestRecord record, bool? told)
        => settings.Provider?.Sampler is not null || (told ?? (settings.Sampling ?? tracing.DefaultSampling).Decide(record, settings.RequestIds, tracing.Random) != TraceReason.NotTraceable);
}
