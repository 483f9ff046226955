using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Routing;

/// <summary>One version of a route configuration, bound to its clusters: immutable, swapped whole.</summary>
internal sealed class RouteTable(string name, string version, VirtualHostTable virtualHosts, IReadOnlyList<Cluster> clusters)
{
    public string Name { get; } = name;

    public string Version { get; } = version;

    public VirtualHostTable VirtualHosts { get; } = virtualHosts;

    /// <summary>Every cluster that some route names; the table is published when all of them have been answered.</summary>
    public IReadOnlyList<Cluster> Clusters { get; } = clusters;
}
