using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded listener: routes by name, or inline, or neither where it carries connections and no requests.</summary>
internal sealed record ListenerResource(string Name, string? RouteConfigurationName, RouteConfigurationResource? InlineRoutes) : Resource
{
    /// <summary>The HTTP filters in their order, without the router.</summary>
    public ListenerFilter[] Filters { get; init; } = [];

    /// <summary>The filter chains, where it carries connections.</summary>
    public TcpListenerResource? Tcp { get; init; }

    /// <summary>The filter chains, where it is for what comes in by a port of this process.</summary>
    public InboundListenerResource? Inbound { get; init; }

    public ListenerSettings Settings { get; init; } = ListenerSettings.Default;
}
