using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>Counts what callers got, by endpoint: the status and the time. What went over the wire for it, retries included, is counted as it goes.</summary>
internal sealed class LoadSink : RequestSink
{
    public override void OnEnd(RequestRecord record)
    {
        if (record.Reporter != Reporter.Source || record.Cluster is not { } cluster)
        {
            return;
        }

        if (record.Endpoint is { } endpoint)
        {
            endpoint.Load.CountRequest(record.Status, record.GrpcStatus, record.Duration);
            return;
        }

        cluster.Load.Unsent.CountRequest(record.Status, record.GrpcStatus, record.Duration);
        if (record.Status != 0)
        {
            cluster.Load.Reply(record.Details);
        }
    }
}
