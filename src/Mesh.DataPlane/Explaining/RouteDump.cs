using System.Globalization;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Explaining;

/// <summary>One route of a virtual host in plain words.</summary>
/// <param name="Index">Its place; the lowest that matches wins.</param>
/// <param name="Name">Its name, which may be empty.</param>
/// <param name="Match">What a request has to be like; all of it has to hold.</param>
/// <param name="Action">What becomes of such a request.</param>
/// <param name="Clusters">The clusters that it may go to, with their weights.</param>
/// <param name="Policies">What is done with it beside that.</param>
internal sealed record RouteDump(
    int Index, string Name, IReadOnlyList<string> Match, string Action, IReadOnlyList<WeightDump> Clusters, IReadOnlyList<string> Policies)
{
    public static RouteDump Of(RouteEntry route)
        => new(
            route.Index,
            route.Name,
            [route.Match.Path.ToString(), .. route.Match.Conditions.Words],
            Words(route.Action),
            WeightsOf(route.Action),
            [.. PolicyWords.Of(route.Policy), .. MirrorsOf(route.Mirrors)]);

    public static string Words(RouteAction action)
        => action switch
        {
            RouteAction.ToCluster single => $"to cluster {single.Cluster.Name}",
            RouteAction.ToWeightedClusters weighted => "split: " + string.Join(", ", weighted.Choices.Select(c => $"{c.Weight} to {c.Cluster.Name}")),
            RouteAction.ToClusterHeader header => $"to the cluster that the header {header.Header} names",
            RouteAction.ToApplication => "to the application",
            RouteAction.Respond response => $"answered with {(int)response.Status}",
            RouteAction.RedirectTo { Redirect: var redirect } => string.Create(CultureInfo.InvariantCulture, $"redirected with {(int)redirect.Status}"),
            RouteAction.Unsupported unsupported => $"{unsupported.Action}, which this data plane does not have: the request fails",
            _ => action.GetType().Name,
        };

    public static IReadOnlyList<WeightDump> WeightsOf(RouteAction action)
        => action switch
        {
            RouteAction.ToWeightedClusters weighted => [.. weighted.Choices.Select(c => new WeightDump(c.Cluster.Name, c.Weight))],
            RouteAction.ToCluster single => [new WeightDump(single.Cluster.Name, 100)],
            _ => [],
        };

    private static IEnumerable<string> MirrorsOf(Mirror[]? mirrors)
        => (mirrors ?? []).Select(m => $"mirrored to {m.Policy.Cluster ?? $"the cluster that the header {m.Policy.ClusterHeader} names"}{(m.Policy.Fraction is { } share ? $", {share}" : "")}");
}
