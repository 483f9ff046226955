using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Routing;

/// <summary>Binds a decoded route configuration to cluster objects.</summary>
internal sealed class RouteTableCompiler(ClusterRegistry clusters)
{
    private readonly Dictionary<string, Cluster> _acquired = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Cluster, System.Net.HttpStatusCode NotFound), RouteAction.ToCluster> _toCluster = [];

    /// <summary>Acquires each cluster once; the table's owner releases them.</summary>
    public RouteTable Compile(RouteConfigurationResource resource, string version)
    {
        var hosts = resource.VirtualHosts
            .Select(h => (new VirtualHost(h.Name, [.. h.Routes.Select((r, i) => new RouteEntry(i, r.Name, r.Match, Action(r.Action), r.Policy, Mirrors(r.Policy.Mirrors)) { Metadata = r.Metadata })], h.RequiresTls), (IReadOnlyList<string>)h.Domains))
            .ToList();

        // Filters call those; a table whose routes cannot be checked is not ready.
        foreach (var named in resource.VirtualHosts.SelectMany(h => h.Routes).SelectMany(CalledBy))
        {
            Cluster(named);
        }

        return new RouteTable(resource.Name, version, new VirtualHostTable(hosts, resource.IgnorePort), [.. _acquired.Values]);
    }

    private static IEnumerable<string> CalledBy(RouteResource route)
        => (route.Policy.FilterConfigs?.Clusters ?? []).Concat(route.Action.Clusters?.SelectMany(c => c.FilterConfigs?.Clusters ?? []) ?? []);

    private Mirror[]? Mirrors(MirrorPolicy[]? policies)
        => policies is null ? null : [.. policies.Select(p => new Mirror(p, p.Cluster is null ? null : Cluster(p.Cluster)))];

    private RouteAction Action(RouteActionResource action)
    {
        if (action.Response is { } response)
        {
            return new RouteAction.Respond(response.Status, response.Body);
        }

        if (action.Redirect is { } redirect)
        {
            return new RouteAction.RedirectTo(redirect);
        }

        if (action.ClusterHeader is { } header)
        {
            return new RouteAction.ToClusterHeader(header, action.ClusterNotFound);
        }

        if (action.Clusters is not { } named)
        {
            return new RouteAction.Unsupported(action.Unsupported!);
        }

        if (named.Length == 1 && named[0].IsPlain)
        {
            // Thousands of routes to a few clusters share a few actions, which stay in the cache.
            var key = (named[0].Name, action.ClusterNotFound);
            return _toCluster.TryGetValue(key, out var known)
                ? known
                : _toCluster[key] = new RouteAction.ToCluster(Cluster(named[0].Name), action.ClusterNotFound);
        }

        var sum = 0u;
        return new RouteAction.ToWeightedClusters(
            [.. named.Select(c => new WeightedCluster(Cluster(c.Name), c.Weight, sum += c.Weight)
            {
                FilterConfigs = c.FilterConfigs,
                RequestHeaders = c.RequestHeaders,
                ResponseHeaders = c.ResponseHeaders,
                HostRewrite = c.HostRewrite,
            })],
            action.ClusterNotFound);
    }

    private Cluster Cluster(string name)
    {
        if (!_acquired.TryGetValue(name, out var cluster))
        {
            cluster = clusters.Acquire(name);
            _acquired.Add(name, cluster);
        }

        return cluster;
    }
}
