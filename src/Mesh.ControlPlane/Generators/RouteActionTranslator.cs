using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using ConsistentHash = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.ConsistentHashLB;

namespace Mesh.ControlPlane.Generators;

/// <summary>Where a route leads, and all that happens on the way.</summary>
/// <param name="proxy">The client.</param>
/// <param name="config">The documents.</param>
/// <param name="ruleNamespace">The namespace to which short names of destinations belong.</param>
/// <param name="requestPort">The port that the client called.</param>
internal sealed class RouteActionTranslator(Proxy proxy, ConfigIndex config, string ruleNamespace, uint requestPort)
{
    /// <param name="route">Gets the action, and the headers of a single destination.</param>
    /// <param name="http">The rule's entry.</param>
    /// <param name="authority">What the entry's headers set the authority to.</param>
    public void SetAction(Route route, HTTPRoute http, string? authority)
    {
        var action = new RouteAction();
        route.Route_ = action;
        SetTimeout(proxy.Kind, action, http.Timeout);
        if (proxy.Kind == ProxyKind.Mesh)
        {
            RewriteTranslator.SetPath(action, http.Rewrite);
            authority = http.Rewrite is { Authority.Length: > 0 } rewrite ? rewrite.Authority : authority;
            if (authority is not null)
            {
                action.HostRewriteLiteral = authority;
            }

            action.RequestMirrorPolicies.AddRange(MirrorTranslator.Translate(http, destination => KeyOf(destination).ToString()));
        }

        var consistentHash = false;
        if (http.Route.Count == 1)
        {
            consistentHash = SetDestination(route, http.Route[0]);
        }
        else
        {
            SetDestinations(action, http.Route);
        }

        if (http.Route.Any(destination => destination.Destination is { } to && IsAlias(KeyOf(to))))
        {
            RewriteToExternalName(action);
        }

        action.RetryPolicy = RetryPolicyTranslator.Translate(proxy.Kind, http.Retries ?? config.Mesh.Retries, consistentHash, config.Retry503);
    }

    /// <summary>The route of a service that no rule is for.</summary>
    public RouteAction ToService(SubsetKey key)
    {
        var action = new RouteAction { Cluster = key.ToString() };
        SetTimeout(proxy.Kind, action, null);
        var hashed = AddHashPolicy(action, key);
        if (IsAlias(key))
        {
            RewriteToExternalName(action);
        }

        action.RetryPolicy = RetryPolicyTranslator.Translate(proxy.Kind, config.Mesh.Retries, hashed, config.Retry503);
        return action;
    }

    /// <summary>Istio has no timeout unless one is written; Envoy's 15 seconds must be switched off. gRPC reads the stream's only (gRFC A31).</summary>
    private static void SetTimeout(ProxyKind kind, RouteAction action, Duration? timeout)
    {
        timeout ??= new Duration();
        if (kind == ProxyKind.Grpc)
        {
            action.MaxStreamDuration = new RouteAction.Types.MaxStreamDuration { MaxStreamDuration_ = timeout };
            return;
        }

        action.Timeout = timeout;
#pragma warning disable CS0612 // Istio sends it: without it a request's grpc-timeout would not count.
        action.MaxGrpcTimeout = timeout;
#pragma warning restore CS0612
    }

    /// <returns>Whether the host is chosen by a hash.</returns>
    private bool SetDestination(Route route, HTTPRouteDestination destination)
    {
        var action = route.Route_;
        var key = KeyOf(destination.Destination);
        action.Cluster = key.ToString();
        if (proxy.Kind == ProxyKind.Mesh)
        {
            var headers = new HeaderOperations(destination.Headers);
            headers.AddTo(route.RequestHeadersToAdd, route.RequestHeadersToRemove, route.ResponseHeadersToAdd, route.ResponseHeadersToRemove);
            // Envoy takes the route's authority before a weighted cluster's; one destination alone behaves the same.
            if (headers.Authority is not null && action.HostRewriteSpecifierCase == RouteAction.HostRewriteSpecifierOneofCase.None)
            {
                action.HostRewriteLiteral = headers.Authority;
            }
        }

        return AddHashPolicy(action, key);
    }

    private void SetDestinations(RouteAction action, IEnumerable<HTTPRouteDestination> destinations)
    {
        action.WeightedClusters = new WeightedCluster();
        foreach (var destination in destinations.Where(destination => destination.Weight > 0))
        {
            var key = KeyOf(destination.Destination);
            var weighted = new WeightedCluster.Types.ClusterWeight { Name = key.ToString(), Weight = (uint)destination.Weight };
            if (proxy.Kind == ProxyKind.Mesh)
            {
                var headers = new HeaderOperations(destination.Headers);
                headers.AddTo(
                    weighted.RequestHeadersToAdd, weighted.RequestHeadersToRemove, weighted.ResponseHeadersToAdd, weighted.ResponseHeadersToRemove);
                if (headers.Authority is not null)
                {
                    weighted.HostRewriteLiteral = headers.Authority;
                }
            }

            action.WeightedClusters.Clusters.Add(weighted);
            AddHashPolicy(action, key);
        }
    }

    private bool IsAlias(SubsetKey key) => config.ScopeOf(proxy).FindDestination(key.Host)?.ExternalName is not null;

    /// <summary>
    /// A host outside knows its own name and none that a cluster gives it. Hosts without a name of their own, to which the same route may lead, keep
    /// the caller's.
    /// </summary>
    private void RewriteToExternalName(RouteAction action)
    {
        if (proxy.Kind == ProxyKind.Mesh && action.HostRewriteSpecifierCase == RouteAction.HostRewriteSpecifierOneofCase.None)
        {
            action.AutoHostRewrite = true;
        }
    }

    private bool AddHashPolicy(RouteAction action, SubsetKey key)
    {
        var hash = HashOf(key);
        if (HashPolicyTranslator.Translate(proxy.Kind, hash) is { } policy)
        {
            action.HashPolicy.Add(policy);
        }

        return hash is not null;
    }

    private ConsistentHash? HashOf(SubsetKey key)
    {
        if (config.ScopeOf(proxy).FindDestination(key.Host) is not { } service || config.FindDestinationRule(proxy.Namespace, service, proxy.Labels) is not { } rule)
        {
            return null;
        }

        return rule.PolicyFor(rule.FindSubset(key.Subset), key.Port).LoadBalancer?.ConsistentHash;
    }

    private SubsetKey KeyOf(Destination destination) => DestinationKey.Of(proxy, config, ruleNamespace, requestPort, destination);
}
