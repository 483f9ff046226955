using System.Net;
using Envoy.Config.Route.V3;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// The <c>tls</c> routes of a host for a client that knows, before it encrypts, which host a request is for: the name that its handshake will ask
/// for. As among the filter chains of a listener the most specific name wins, and the oldest rule where it is the same.
/// </summary>
internal sealed class SniRouteTranslator(Proxy proxy, ConfigIndex config, MeshService service, SubsetKey key)
{
    /// <summary>The routes in their order, and whether one of them takes every request.</summary>
    public (IReadOnlyList<Route> Routes, bool IsComplete) Translate(IReadOnlyList<VirtualServiceRule> rules)
    {
        var candidates = rules.SelectMany(Candidates).DistinctBy(candidate => candidate.Sni)
            .OrderBy(candidate => Hostname.IsWildcard(candidate.Sni))
            .ThenByDescending(candidate => candidate.Sni.Length);
        var routes = new List<Route>();
        foreach (var (sni, rule, route) in candidates)
        {
            var isComplete = Hostname.Covers(sni, key.Host);
            routes.Add(new RouteTranslator(proxy, config, rule, key.Port).Translate(AsHttp(route), null, MatchOf(sni, isComplete)));
            if (isComplete)
            {
                return (routes, true);
            }
        }

        return (routes, false);
    }

    private IEnumerable<(string Sni, VirtualServiceRule Rule, TLSRoute Route)> Candidates(VirtualServiceRule rule)
        => from route in rule.Spec.Tls
           where route.Route.Count == 1 || route.Route.Any(destination => destination.Weight > 0)
           from match in route.Match
           where AppliesTo(match)
           from written in match.SniHosts
           let sni = Hostname.Resolve(written, rule.Source.Namespace, config.ClusterDomain)
           where Hostname.Covers(sni, key.Host) || Hostname.Covers(key.Host, sni)
           select (sni, rule, route);

    private bool AppliesTo(TLSMatchAttributes match)
        => (match.Port == 0 || match.Port == key.Port)
            && (match.Gateways.Count == 0 || match.Gateways.Contains("mesh"))
            && (match.SourceNamespace.Length == 0 || match.SourceNamespace == proxy.Namespace)
            && match.SourceLabels.All(label => proxy.Labels.TryGetValue(label.Key, out var value) && value == label.Value)
            && (match.DestinationSubnets.Count == 0 || match.DestinationSubnets.Any(IsOfService));

    /// <summary>A client that calls by name has no destination address; the service's own stand in.</summary>
    private bool IsOfService(string subnet)
        => service.Addresses.Any(address => address == subnet
            || (IPAddress.TryParse(address, out var ip) && IPNetwork.TryParse(subnet, out var network) && network.Contains(ip)));

    private RouteMatch MatchOf(string sni, bool isComplete)
    {
        var match = RouteMatchTranslator.Translate(proxy.Kind, null);
        if (!isComplete)
        {
            var host = sni.Replace(".", @"\.", StringComparison.Ordinal).Replace("*", ".*", StringComparison.Ordinal);
            match.Headers.Add(HeaderMatcherTranslator.Translate(proxy.Kind, ":authority", new StringMatch { Regex = $"(?i){host}(:{key.Port})?" }));
        }

        return match;
    }

    private static HTTPRoute AsHttp(TLSRoute route) => new()
    {
        Route = { route.Route.Select(to => new HTTPRouteDestination { Destination = to.Destination, Weight = to.Weight }) },
    };
}
