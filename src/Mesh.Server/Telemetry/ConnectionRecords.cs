using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry;

namespace Mesh.Server.Telemetry;

/// <summary>Begins the records of connections that come in, and ends those of connections that are not let in.</summary>
/// <param name="telemetry">The signals of this process.</param>
internal sealed class ConnectionRecords(MeshTelemetry telemetry)
{
    /// <summary>A connection that is let in; <see langword="null"/> when nobody wants to know of it.</summary>
    public ConnectionRecord? Begin(InboundChain chain, ConnectionFacts facts, long accepted) => Of(chain)?.Begin(facts, chain.Resource.Cluster, accepted);

    /// <summary>A filter of its chain does not let it pass.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="facts">What is known of it.</param>
    /// <param name="accepted">When it came.</param>
    /// <param name="details">Why.</param>
    public void Deny(InboundChain chain, ConnectionFacts facts, long accepted, string? details)
    {
        var record = Of(chain)?.Refuse(facts, chain.Resource.Cluster, accepted);
        record?.Explain(termination: details);
        record?.End();
    }

    /// <summary>It could not be secured as its chain asks for.</summary>
    public void Fail(InboundChain chain, ConnectionFacts facts, long accepted, string reason)
    {
        var record = Of(chain)?.Refuse(facts, chain.Resource.Cluster, accepted);
        record?.Explain(downstream: reason);
        record?.End();
    }

    /// <summary>There is no chain for it.</summary>
    public void Miss(InboundTable table, ConnectionFacts facts, long accepted)
    {
        var record = telemetry.ConnectionsOf(table.Resource.Signals, Reporter.Destination, areCounted: false)?.Refuse(facts, "", accepted);
        record?.Explain(details: "filter_chain_not_found");
        record?.End("NR");
    }

    private ConnectionSignals? Of(InboundChain chain)
        => (chain.Signals ??= new Lazy<ConnectionSignals?>(() => telemetry.ConnectionsOf(chain.Resource.Signals, Reporter.Destination, areCounted: chain.Http is null))).Value;
}
