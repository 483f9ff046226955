using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators;

/// <summary>The services that a client has clusters of: those that it may call, and those that policies of its own name (where keys of issuers are, external authorizers, and collectors of signals).</summary>
internal static class NamedDestinations
{
    public static MeshService? Find(Proxy proxy, ConfigIndex config, SubsetKey key)
        => config.ScopeOf(proxy).FindDestination(key.Host) ?? (proxy.Kind == ProxyKind.Mesh && IsNamed(proxy, config, key) ? config.ExportedTo(proxy.Namespace).FindService(key.Host) : null);

    /// <summary>The service and port that a policy means by a URI; <see langword="null"/> for a host of the outside, be it one that a wildcard covers.</summary>
    public static (MeshService Service, uint Port)? OfUri(Proxy proxy, ConfigIndex config, JwksUri uri)
        => config.ExportedTo(proxy.Namespace).Resolve(uri.Authority) is { } target
            && config.ExportedTo(proxy.Namespace).FindService(target.Host) is { IsWildcard: false } service
            && service.FindPort(target.Port) is not null
                ? (service, target.Port)
                : null;

    private static bool IsNamed(Proxy proxy, ConfigIndex config, SubsetKey key)
        => key.Subset.Length == 0
            && (config.SignalsOf(proxy, WorkloadMode.Client).Names(key)
                || config.SignalsOf(proxy, WorkloadMode.Server).Names(key)
                || Inbound.JwksClusters.Find(proxy, config, key) is not null
                || Inbound.CustomPolicies.Asked(proxy, config, config.Policies.Of(proxy.Namespace, proxy.Labels)).Any(asked => asked.Key == key));
}
