using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Discovery;

/// <summary>
/// Which nodes are under other policies, tell other things of their requests, or serve something else, than before: the listeners of their ports differ,
/// whatever these are called.
/// </summary>
internal static class PolicyChange
{
    /// <returns>Whether a node is concerned; <see langword="null"/> when none is.</returns>
    public static Func<IAdsNodeView, bool>? Between(ConfigIndex before, ConfigIndex after)
        => ReferenceEquals(before, after) || (ReferenceEquals(before.Policies, after.Policies) && ReferenceEquals(before.Telemetries, after.Telemetries) && ReferenceEquals(before.ProxyConfigs, after.ProxyConfigs) && ReferenceEquals(before.Mesh, after.Mesh) && before.Services.ToHashSet().SetEquals(after.Services))
            ? null
            : view => view is NodeView node && !InboundInputs.Of(node.Proxy, before).SequenceEqual(InboundInputs.Of(node.Proxy, after));
}
