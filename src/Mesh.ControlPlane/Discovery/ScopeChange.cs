using Mesh.ControlPlane.Model;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Discovery;

/// <summary>Which nodes see another part of the mesh because Sidecars have changed: the others are not asked.</summary>
internal static class ScopeChange
{
    /// <returns>Whether a node is concerned; <see langword="null"/> when none is.</returns>
    public static Func<IAdsNodeView, bool>? Between(ConfigIndex before, ConfigIndex after)
        => ReferenceEquals(before.Sidecars, after.Sidecars)
            ? null
            : view => view is NodeView node && !before.ScopeOf(node.Proxy).Sidecars.SequenceEqual(after.ScopeOf(node.Proxy).Sidecars);
}
