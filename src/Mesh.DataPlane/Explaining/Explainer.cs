using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Explaining;

/// <summary>Says in words why a request went where it went: with the matchers that route, over the state and the draw that the decision had.</summary>
internal static class Explainer
{
    // A table of ten thousand routes explains itself by its first few misses.
    private const int MaxMisses = 20;

    public static IReadOnlyList<string> Explain(string authority, scoped in RequestView request, ulong draw, in Decision decision)
    {
        var lines = new List<string>();
        if (decision.Host is not { Table: { } table } host)
        {
            lines.Add($"host {authority}: {decision.Host?.Status.ToString() ?? "unknown"} {decision.Host?.Error}".TrimEnd());
            return lines;
        }

        lines.Add($"listener for {authority} (version {host.ListenerVersion}) uses route configuration {table.Name} (version {table.Version})");
        if (host.VirtualHost is not { } virtualHost)
        {
            lines.Add($"no virtual host has a domain for {authority}");
            return lines;
        }

        lines.Add($"virtual host {virtualHost.Name}");
        ExplainRoutes(lines, virtualHost, request, draw, decision.Route);
        if (decision.Route?.Action is RouteAction.ToWeightedClusters weighted)
        {
            var split = string.Join(", ", weighted.Choices.Select(c => $"{c.Cluster.Name} {c.Weight}"));
            lines.Add($"weighted clusters ({split}): the draw {draw:x16} chose {decision.Cluster?.Name}");
        }
        else if (decision.Cluster is { } cluster)
        {
            lines.Add($"cluster {cluster.Name}");
        }

        if (decision.Endpoint is { } endpoint)
        {
            lines.Add($"endpoint {endpoint} of {decision.ClusterState!.Endpoints.Endpoints.Count}, by {ClusterDump.NameOf(decision.ClusterState.Policy!.LoadBalancing)}"
                + (endpoint.Priority > 0 ? $", priority {endpoint.Priority}" : "")
                + (endpoint.Locality.Length > 0 ? $", locality {endpoint.Locality}" : ""));
        }
        else if (decision.Reply is { } reply)
        {
            lines.Add($"answered by the mesh: {(int)reply.Status} {reply.Flags} {reply.Details}" + (decision.ClusterState?.Error is { } error ? $" ({error})" : ""));
        }

        return lines;
    }

    private static void ExplainRoutes(List<string> lines, VirtualHost virtualHost, scoped in RequestView request, ulong draw, RouteEntry? chosen)
    {
        var misses = 0;
        foreach (var route in virtualHost.Routes)
        {
            if (route == chosen)
            {
                lines.Add($"{route} matches: {route.Match.Path}");
                return;
            }

            if (misses++ < MaxMisses && route.Match.FirstMismatch(request, draw) is { } mismatch)
            {
                lines.Add($"{route} does not match, it asks for: {mismatch}");
            }
        }

        lines.Add($"none of the {virtualHost.Routes.Length} routes matches");
    }
}
