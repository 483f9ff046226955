namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Counts what becomes of each cluster's requests.</summary>
internal sealed class ClusterRequestSink : RequestSink
{
    public override void OnEnd(RequestRecord record)
    {
        if (record.Cluster is { } cluster && record.Attempts > 0)
        {
            cluster.Stats.Requests.Add(record.Attempts, record.Status, record.Flags);
        }
    }
}
