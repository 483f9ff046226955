using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Outbound;

namespace Mesh.DataPlane.Explaining;

/// <summary>All that an engine believes at one moment. A console application may write it where it likes; it holds no secret.</summary>
/// <param name="Xds">How it stands with the control plane.</param>
/// <param name="Hosts">The hosts that are called.</param>
/// <param name="Outbound">What happens to hosts that the mesh does not know.</param>
/// <param name="Clusters">The clusters that routes name.</param>
/// <param name="Ports">The ports that are covered.</param>
/// <param name="Secrets">The certificates.</param>
internal sealed record EngineDump(
    XdsDump Xds,
    IReadOnlyList<HostDump> Hosts,
    OutboundStatus Outbound,
    IReadOnlyList<ClusterDump> Clusters,
    IReadOnlyList<PortDump> Ports,
    IReadOnlyList<SecretDump> Secrets)
{
    public static EngineDump Of(MeshEngine engine, InboundPorts? ports, TimeProvider time)
    {
        var xds = engine.Client.Status;
        return new EngineDump(XdsDump.Of(xds), HostsOf(engine), engine.Outbound.Status, ClustersOf(engine, time), PortsOf(ports), SecretDump.Of(engine.Identity, xds, time));
    }

    public static IReadOnlyList<HostDump> HostsOf(MeshEngine engine)
        => [.. engine.Hosts.All.OrderBy(h => h.Key.ToString(), StringComparer.Ordinal).Select(HostDump.Of)];

    public static IReadOnlyList<ClusterDump> ClustersOf(MeshEngine engine, TimeProvider time)
        => [.. engine.Clusters.All.OrderBy(c => c.Cluster.Name, StringComparer.Ordinal).Select(c => ClusterDump.Of(c, time))];

    public static IReadOnlyList<PortDump> PortsOf(InboundPorts? ports)
        => [.. (ports?.Open ?? []).OrderBy(p => p.EndPoint.Port).ThenBy(p => p.Name, StringComparer.Ordinal).Select(PortDump.Of)];
}
