using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Hosts;

/// <summary>What a host is at one moment; a request reads it once, so that it is routed by one version of everything.</summary>
internal sealed record HostState(HostStatus Status, RouteTable? Table, VirtualHost? VirtualHost, string ListenerVersion, string? Error)
{
    /// <summary>The listener's HTTP filters; <see langword="null"/> when it has none but the router.</summary>
    public FilterChains? Filters { get; init; }

    /// <summary>The filters that a request passes which was routed like this; <see langword="null"/> when there are none.</summary>
    public FilterChain? ChainOf(in Decision decision)
        => Filters?.Of(decision.Route?.Policy.FilterConfigs, decision.Choice?.FilterConfigs);

    /// <summary>The filter chains of a host that connections are made to.</summary>
    public TcpTable? Tcp { get; init; }

    /// <summary>What becomes of its requests; <see langword="null"/> while it has none.</summary>
    public RequestSignals? Signals { get; init; }

    public ListenerSettings Settings { get; init; } = ListenerSettings.Default;

    public static HostState Pending { get; } = new(HostStatus.Pending, null, null, "", null);
}
