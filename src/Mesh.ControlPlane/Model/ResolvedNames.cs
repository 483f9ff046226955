using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>Completes the short names in a rule's entries, so that entries of different namespaces can stand in one rule.</summary>
internal static class ResolvedNames
{
    private const string MeshGateway = "mesh";

    /// <returns>A copy whose destinations and gateways mean the same wherever it stands.</returns>
    public static HTTPRoute Of(HTTPRoute route, string @namespace, string clusterDomain)
    {
        var copy = route.Clone();
        foreach (var destination in copy.Route.Select(r => r.Destination).Concat(copy.Mirrors.Select(m => m.Destination)).Append(copy.Mirror))
        {
            if (destination is { Host.Length: > 0 })
            {
                destination.Host = Hostname.Resolve(destination.Host, @namespace, clusterDomain);
            }
        }

        foreach (var match in copy.Match)
        {
            for (var i = 0; i < match.Gateways.Count; i++)
            {
                match.Gateways[i] = Gateway(match.Gateways[i], @namespace);
            }
        }

        return copy;
    }

    /// <summary><c>namespace/name</c>, from a name alone, <c>./name</c> or the older <c>name.namespace.svc.cluster.local</c>.</summary>
    private static string Gateway(string gateway, string @namespace)
    {
        if (gateway == MeshGateway)
        {
            return gateway;
        }

        if (gateway.Contains('/', StringComparison.Ordinal))
        {
            return gateway.StartsWith("./", StringComparison.Ordinal) ? $"{@namespace}/{gateway[2..]}" : gateway;
        }

        var labels = gateway.Split('.');
        return labels.Length == 1 ? $"{@namespace}/{gateway}" : $"{labels[1]}/{labels[0]}";
    }
}
