using System.Globalization;
using Mesh.DataPlane.Explaining;

namespace Mesh.Server.Admin.Html;

/// <summary>Clusters for people.</summary>
internal static class ClusterPieces
{
    // Beyond that the list is one for programs.
    private const int MaxEndpoints = 500;

    public static HtmlText Of(IReadOnlyList<ClusterDump> clusters)
        => clusters.Count == 0
            ? HtmlText.Of($"<p class=\"dim\">No route of this process names a cluster yet. Clusters are asked for when the first request goes to a host.</p>")
            : HtmlText.Each(clusters, Of);

    public static HtmlText Of(ClusterDump cluster)
        => HtmlText.Of($"""
            <details open><summary><code>{cluster.Name}</code> {AdminPage.State(cluster.Status)} <span class="dim">{cluster.LoadBalancing} · {cluster.Transport} · version {cluster.Version}</span></summary>
            {(cluster.Error is { } error ? HtmlText.Of($"<p class=\"bad\">{error}</p>") : HtmlText.Empty)}
            {AdminPage.Table(["Endpoint", "Health", "Active", "So far", "Weight", "Priority", "Locality", "Transport"], cluster.Endpoints.Take(MaxEndpoints).Select(Row), cluster.IsOriginalDestination ? "Requests go to the address that they ask for." : "It has no endpoints.")}
            {(cluster.Endpoints.Count > MaxEndpoints ? HtmlText.Of($"<p class=\"dim\">and {cluster.Endpoints.Count - MaxEndpoints} more</p>") : HtmlText.Empty)}
            {AdminPage.List(Facts(cluster))}
            </details>
            """);

    private static HtmlText Row(EndpointDump endpoint)
        => HtmlText.Of($"""
            <tr><td><code>{endpoint.Address}</code>{(endpoint.Hostname.Length > 0 ? HtmlText.Of($"<br><span class=\"dim\">{endpoint.Hostname}</span>") : HtmlText.Empty)}</td>
            <td>{AdminPage.State(endpoint.Health)}{(endpoint.HealthFlags.Count > 0 ? HtmlText.Of($"<br>{string.Join(", ", endpoint.HealthFlags)}") : HtmlText.Empty)}{Ejected(endpoint.Ejection)}</td>
            <td class="n">{endpoint.ActiveRequests} requests<br>{endpoint.ActiveConnections} connections</td>
            <td class="n">{endpoint.Counters["rq_total"]} requests<br>{endpoint.Counters["rq_error"]} failed</td>
            <td class="n">{endpoint.Weight}</td><td class="n">{endpoint.Priority}</td><td>{endpoint.Locality}</td><td>{endpoint.Transport}</td></tr>
            """);

    private static HtmlText Ejected(EjectionDump? ejection)
        => ejection is null ? HtmlText.Empty : HtmlText.Of($"<br>ejected for {ejection.Reason}, {ejection.LeftSeconds:0.#} s left");

    private static IEnumerable<string> Facts(ClusterDump cluster)
    {
        foreach (var share in cluster.Shares)
        {
            yield return $"{share.Percent} % of the requests go to {share.Hosts} {share.Kind} host(s) of priority {share.Priority}{(share.Localities.Count > 0 ? $" in {string.Join(", ", share.Localities)}" : "")}";
        }

        if (cluster.DropPercent > 0)
        {
            yield return $"{cluster.DropPercent:0.##} % of the requests are dropped as the control plane says";
        }

        foreach (var breaker in cluster.CircuitBreakers.Where(b => b.Priority == "default" || b.ActiveRequests > 0))
        {
            yield return $"circuit breaker, {breaker.Priority} priority: {Used(breaker.ActiveRequests, breaker.MaxRequests)} requests, {Used(breaker.ActiveConnections, breaker.MaxConnections)} connections, {Used(breaker.PendingRequests, breaker.MaxPendingRequests)} waiting, {Used(breaker.ActiveRetries, breaker.MaxRetries)} retries";
        }

        var counted = cluster.Counters.Where(c => c.Value != 0).Select(c => $"{c.Key} {c.Value}").ToList();
        if (counted.Count > 0)
        {
            yield return string.Join(", ", counted);
        }
    }

    private static string Used(long used, uint limit)
        => limit == uint.MaxValue ? used.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{used} of {limit}");
}
