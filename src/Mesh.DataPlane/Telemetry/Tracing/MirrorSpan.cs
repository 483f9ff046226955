using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing.Export;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>The span of a copy of a request, below that of the original; it ends when the copy's response has.</summary>
internal sealed class MirrorSpan(Activity span, TimeProvider time, SpanExporter? exporter)
{
    private readonly long _began = time.GetTimestamp();
    private readonly DateTimeOffset _startTime = time.GetUtcNow();

    /// <summary>How it came out.</summary>
    public void Tell(in Attempt attempt)
    {
        if (attempt.Decision.Cluster is { } cluster)
        {
            span.SetTag("upstream_cluster", cluster.Name);
            span.SetTag("upstream_cluster.name", cluster.StatName);
        }

        if (attempt.Decision.Endpoint is { } endpoint)
        {
            span.SetTag("upstream_address", endpoint.Resource.AddressText);
            span.SetTag("mesh.endpoint", endpoint.Resource.AddressText);
        }

        var status = (int)(attempt.Response?.StatusCode ?? attempt.Reply?.Status ?? 0);
        var flags = attempt.Reply is { Flags.Length: > 0 } reply ? reply.Flags : "-";
        span.SetTag("http.response.status_code", status);
        span.SetTag("http.status_code", status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        span.SetTag("response_flags", flags);
        span.SetTag("mesh.response_flags", flags);
        if (status >= 400)
        {
            span.SetTag("error.type", status.ToString(System.Globalization.CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }
    }

    /// <summary>The copy was never sent.</summary>
    public void Drop()
    {
        span.SetStatus(ActivityStatusCode.Error, "not sent");
        End();
    }

    public void End()
    {
        var duration = time.GetElapsedTime(_began);
        SpanClock.Stop(span, _startTime + duration);
        if (exporter is not null && span.Recorded)
        {
            exporter.Add(FinishedSpan.Of(span, ActivityKind.Client, span.DisplayName, _startTime, duration));
        }
    }
}
