using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>Decides where a request goes: a function of the host's state, the request, one random draw, and how busy the endpoints are. Allocates nothing.</summary>
internal sealed class DecisionMaker(HeaderClusters headerClusters)
{
    public Decision Decide(HostState host, scoped in RequestView request, ulong draw)
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
        System.Net.HttpStatusCode notFound;
        switch (route.Action)
        {
            case RouteAction.ToCluster single:
                (cluster, notFound) = (single.Cluster, single.NotFound);
                break;
            case RouteAction.ToWeightedClusters weighted:
                (cluster, notFound) = (weighted.Choose(draw), weighted.NotFound);
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

                (cluster, notFound) = (named, header.NotFound);
                break;
            case RouteAction.Respond response:
                return new Decision { Host = host, Route = route, Reply = LocalReply.DirectResponse(response.Status) };
            default:
                return new Decision { Host = host, Route = route, Reply = LocalReply.UnsupportedAction(((RouteAction.Unsupported)route.Action).Action) };
        }

        // 4. Endpoint: priority, locality, then the policy.
        var state = cluster.Current;
        if (state.Status != ClusterStatus.Ready)
        {
            return new Decision { Host = host, Route = route, Cluster = cluster, ClusterState = state, Reply = LocalReply.NoCluster(notFound) };
        }

        // The split has used the draw's high bits; the pick must not depend on which side it fell.
        var endpoint = state.Endpoints.Pick(Draw.Next(draw));
        return new Decision
        {
            Host = host,
            Route = route,
            Cluster = cluster,
            ClusterState = state,
            Endpoint = endpoint,
            Reply = endpoint is null ? LocalReply.NoHealthyUpstream : null,
        };
    }
}
