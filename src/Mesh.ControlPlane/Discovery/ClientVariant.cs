using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Generators.Localities;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Discovery;

/// <summary>
/// What of a client, besides its kind and namespace, its resources depend on. Clients for which it is the same share the resource;
/// as a rule it is empty.
/// </summary>
internal static class ClientVariant
{
    public static string OfCluster(Proxy proxy, MeshSettings mesh, MeshService service, DestinationRuleSet? rule, SubsetKey key)
    {
        // Who sees requests in clear text is told of TLS otherwise than who carries it.
        var form = proxy.IsInProcess || rule is null ? "" : "tcp\0";
        return service.IsResolvedByDns ? $"{form}{(proxy.IsIpv6Only ? "6" : "")}\0{OfEndpoints(proxy, mesh, service, rule, key)}" : form + rule?.Variant;
    }

    public static string OfEndpoints(Proxy proxy, MeshSettings mesh, MeshService service, DestinationRuleSet? rule, SubsetKey key)
    {
        var subset = key.Subset.Length > 0 ? rule?.FindSubset(key.Subset) : null;
        var places = LocalityPolicy.Of(service, mesh.Complete(rule?.PolicyFor(subset, key.Port) ?? default))?.KeyOf(proxy) ?? "";
        var variant = rule?.Variant ?? "";
        return variant.Length == 0 ? places : $"{variant}\0{places}";
    }
}
