using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry.Metrics;

namespace Mesh.DataPlane.Telemetry;

/// <summary>What becomes of the connections of one filter chain, where they are told of as connections: Istio's metrics, and access logs.</summary>
/// <param name="metrics">Counts those that carry no requests; <see langword="null"/> when nobody does.</param>
/// <param name="logs">Logs them; <see langword="null"/> when nobody does.</param>
internal sealed class ConnectionSignals(ConnectionMetrics? metrics, RequestSignals? logs)
{
    /// <summary>A connection of this process that goes to no cluster of the mesh.</summary>
    /// <param name="name">Where it goes; empty for nowhere.</param>
    /// <param name="asked">What was asked for.</param>
    public ConnectionRecord Begin(string name, ConnectionFacts? asked = null) => new(metrics?.Measure(name, known: null), Log(name, asked, began: null));

    /// <summary>A connection of this process to a cluster of the mesh.</summary>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="asked">What was asked for.</param>
    public ConnectionRecord Begin(Cluster cluster, ConnectionFacts? asked)
    {
        var log = Log(cluster.Name, asked, began: null);
        log?.Cluster = cluster;
        return new(metrics?.Measure(cluster.Name, cluster.Current.Policy?.Service), log);
    }

    /// <summary>A connection that has come in.</summary>
    /// <param name="facts">What is known of it.</param>
    /// <param name="cluster">Where its chain says that it goes; empty for none.</param>
    /// <param name="accepted">When it came, as a timestamp.</param>
    public ConnectionRecord Begin(ConnectionFacts facts, string cluster, long accepted) => new(metrics?.Measure(facts), Log(cluster, facts, accepted));

    /// <summary>A connection that has come in and is not let in; that is logged, and counts for nothing.</summary>
    public ConnectionRecord Refuse(ConnectionFacts facts, string cluster, long accepted) => new(null, Log(cluster, facts, accepted));

    private RequestRecord? Log(string cluster, ConnectionFacts? facts, long? began)
    {
        if (logs is null)
        {
            return null;
        }

        var record = RequestRecord.Rent(logs, began);
        record.IsConnection = true;
        record.ClusterName = cluster.Length > 0 ? cluster : null;
        record.Connection = facts;
        record.RemoteAddress = facts?.RemoteEndPoint?.Address;
        return record;
    }
}
