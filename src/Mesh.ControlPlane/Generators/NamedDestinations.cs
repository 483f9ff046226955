using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators;

/// <summary>The services that a client has clusters of: those that it may call, and those that policies of its own name (where keys of issuers are).</summary>
internal static class NamedDestinations
{
    public static MeshService? Find(Proxy proxy, ConfigIndex config, SubsetKey key)
        => config.ScopeOf(proxy).FindDestination(key.Host) ?? (proxy.Kind == ProxyKind.Mesh && IsNamed(proxy, config, key) ? config.ExportedTo(proxy.Namespace).FindService(key.Host) : null);

    /// <summary>The service that a policy means by a URI; <see langword="null"/> for a host of the outside.</summary>
    public static MeshService? OfUri(Proxy proxy, ConfigIndex config, string uri)
        => JwksUri.TryParse(uri, out var parsed, out _) && config.ExportedTo(proxy.Namespace).Resolve(parsed.Authority) is { } target
            ? config.ExportedTo(proxy.Namespace).FindService(target.Host)
            : null;

    private static bool IsNamed(Proxy proxy, ConfigIndex config, SubsetKey key) => Inbound.JwksClusters.Find(proxy, config, key) is not null;
}
