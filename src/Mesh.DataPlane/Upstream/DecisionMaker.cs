using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// Decides where a request goes: a function of the host's state, the request, one random draw, and how busy the endpoints are. Allocates nothing.
/// Two steps, because what lies between route and endpoint (filters, hashes, another attempt) must not repeat the first.
/// </summary>
internal sealed class DecisionMaker(HeaderClusters headerClusters)
{
    /// <summary>Virtual host, route and cluster; or the reply that ends it here.</summary>
    public Decision Route(HostState host, scoped in RequestView request, ulong draw)
    {
        // 1. Virtual host: found when the host met the table.
        if (host.VirtualHost is not { } virtualHost)
        {
            return new Decision { Host = host, Reply = LocalReply.NoRoute };
        }

        // 2. Route: the first that matches.
        if (virtualHost.Match(request, draw) is not { } route)
        {
            return new Decision { Host = host, Reply = LocalReply.NoRoute };
        }

        // 3. Cluster: the route's own, by weight, or by header.
        Cluster cluster;
        WeightedCluster? choice = null;
        switch (route.Action)
        {
            case RouteAction.ToCluster single:
                cluster = single.Cluster;
                break;
            case RouteAction.ToWeightedClusters weighted:
                choice = weighted.Choose(draw);
                cluster = choice.Cluster;
                break;
            case RouteAction.ToClusterHeader header:
                if (!request.TryGetHeader(header.Header, out var value) || value.IsEmpty)
                {
                    return new Decision { Host = host, Route = route, Reply = LocalReply.NoCluster(header.NotFound) };
                }

                var name = value.ToString();
                if (headerClusters.Find(name) is not { } named)
                {
                    return new Decision { Host = host, Route = route, ClusterHeader = name };
                }

                cluster = named;
                break;
            case RouteAction.Respond response:
                return new Decision { Host = host, Route = route, Reply = LocalReply.DirectResponse(response.Status) };
            case RouteAction.RedirectTo { Redirect: var redirect }:
                return new Decision { Host = host, Route = route, Reply = LocalReply.DirectResponse(redirect.Status) };
            default:
                return new Decision { Host = host, Route = route, Reply = LocalReply.UnsupportedAction(((RouteAction.Unsupported)route.Action).Action) };
        }

        return new Decision { Host = host, Route = route, Choice = choice, Cluster = cluster };
    }

    /// <summary>An endpoint of the cluster that was routed to: priority, locality, then the policy.</summary>
    public static void Pick(ref Decision decision, in PickContext context)
    {
        var state = decision.Cluster!.Current;
        decision.ClusterState = state;
        if (state.Status != ClusterStatus.Ready)
        {
            decision.Endpoint = null;
            decision.Reply = LocalReply.NoCluster(decision.Route!.Action.NotFound);
            return;
        }

        if (state.Destinations is { } destinations)
        {
            var named = decision.Destination?.Pick();
            decision.Endpoint = named;
            decision.IsStale = named is null && (destinations.IsDisposed || (decision.Destination is null && decision.Reply is null));
            decision.Reply = named is null ? decision.Destination?.Failure ?? (decision.Destination is null ? decision.Reply : null) ?? LocalReply.NoHealthyUpstream : null;
            return;
        }

        // The split has used the draw's high bits; the pick must not depend on which side it fell.
        var endpoint = state.Endpoints.Pick(context.Next());
        decision.Endpoint = endpoint;
        decision.Reply = endpoint is null ? LocalReply.NoHealthyUpstream : null;
    }

    /// <summary>Both steps at once, as for a request that meets no filter.</summary>
    public Decision Decide(HostState host, scoped in RequestView request, ulong draw)
    {
        var decision = Route(host, request, draw);
        if (decision.Cluster is not null)
        {
            var pick = new PickContext(draw);
            Pick(ref decision, RequestHash.PoliciesOf(decision) is { } policies ? RequestHash.Apply(policies, pick, request, null, out _) : pick);
        }

        return decision;
    }
}
