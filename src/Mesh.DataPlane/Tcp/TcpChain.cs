using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Tcp;

/// <summary>A filter chain that is in force: it stays the same object through every update that leaves it as it is, and its connections stay with it.</summary>
internal sealed class TcpChain(TcpListenerResource.Chain resource, Cluster[] clusters, TimeProvider time)
{
    private readonly uint _total = (uint)resource.Proxy.Clusters.Sum(c => (long)c.Weight);

    public TcpListenerResource.Chain Resource { get; } = resource;

    public TcpProxyPolicy Proxy => Resource.Proxy;

    /// <summary>In the order of the policy's targets.</summary>
    public IReadOnlyList<Cluster> Clusters { get; } = clusters;

    public TcpConnections Connections { get; } = new(time);

    /// <summary>What becomes of its connections; made by whoever makes the first.</summary>
    public Lazy<ConnectionSignals?>? Signals { get; set; }

    /// <summary>The cluster of a connection, by its draw.</summary>
    public Cluster Choose(ulong draw)
    {
        var point = (uint)Math.BigMul(draw, _total, out _);
        var bound = 0u;
        for (var i = 0; i < clusters.Length - 1; i++)
        {
            if (point < (bound += Proxy.Clusters[i].Weight))
            {
                return clusters[i];
            }
        }

        return clusters[^1];
    }

    public override string ToString() => Resource.Name.Length > 0 ? Resource.Name : Proxy.StatPrefix;
}
