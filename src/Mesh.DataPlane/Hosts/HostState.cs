using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Hosts;

/// <summary>What a host is at one moment; a request reads it once, so that it is routed by one version of everything.</summary>
internal sealed record HostState(HostStatus Status, RouteTable? Table, VirtualHost? VirtualHost, string ListenerVersion, string? Error)
{
    public static HostState Pending { get; } = new(HostStatus.Pending, null, null, "", null);
}
