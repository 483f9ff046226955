using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Model;

/// <summary>What happens to hosts that no service names, for the clients that a MeshConfig or a Sidecar speaks for.</summary>
/// <param name="IsAllowed">Whether requests go on to where they were going (<c>ALLOW_ANY</c>), and are not refused (<c>REGISTRY_ONLY</c>).</param>
/// <param name="EgressProxy">The cluster that takes them instead (a Sidecar's <c>egressProxy</c>).</param>
internal sealed record OutboundTraffic(bool IsAllowed, SubsetKey? EgressProxy = null)
{
    /// <summary>Istio's default.</summary>
    public static OutboundTraffic AllowAny { get; } = new(IsAllowed: true);

    public static OutboundTraffic RegistryOnly { get; } = new(IsAllowed: false);

    /// <summary>What a Sidecar says, which has a host and a port where it names a proxy.</summary>
    public static OutboundTraffic Of(OutboundTrafficPolicy policy)
        => policy switch
        {
            { Mode: not OutboundTrafficPolicy.Types.Mode.AllowAny } => RegistryOnly,
            { EgressProxy: { } proxy } => new OutboundTraffic(true, new SubsetKey(proxy.Port?.Number ?? 0, proxy.Subset, proxy.Host.ToLowerInvariant())),
            _ => AllowAny,
        };
}
