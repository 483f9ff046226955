using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>The routes in force of every host that is called, in plain words.</summary>
internal sealed class RoutesEndpoint() : AdminEndpoint("/routes", "Routes")
{
    public override async Task GetAsync(AdminRequest request)
    {
        var (isGood, filter) = await request.PatternAsync("filter").ConfigureAwait(false);
        if (!isGood)
        {
            return;
        }

        var hosts = EngineDump.HostsOf(request.Engine).Where(h => filter is null || filter.IsPartialMatch(h.Authority)).ToList();
        await (request.FormatOr(AdminFormat.Json) switch
        {
            AdminFormat.Html => request.WritePageAsync("Routes", Page(request, hosts)),
            AdminFormat.Text => request.WriteTextAsync(string.Concat(hosts.SelectMany(Lines).Select(l => l.ReplaceLineEndings(" ") + "\n"))),
            _ => request.WriteJsonAsync(new { hosts, outbound = request.Engine.Outbound.Status }),
        }).ConfigureAwait(false);
    }

    private static IEnumerable<string> Lines(HostDump host)
    {
        yield return $"{host.Authority} {host.Status} {host.RouteConfiguration} {host.RouteVersion}".TrimEnd();
        foreach (var route in host.VirtualHost?.Routes ?? [])
        {
            yield return $"  {route.Index} {route.Name} {string.Join(" and ", route.Match)} -> {route.Action}{(route.Policies.Count > 0 ? $" ({string.Join(", ", route.Policies)})" : "")}";
        }
    }

    private static HtmlText Page(AdminRequest request, List<HostDump> hosts)
    {
        var outbound = request.Engine.Outbound.Status;
        return HtmlText.Of($"""
            {(hosts.Count == 0 ? HtmlText.Of($"<p class=\"dim\">No host has been called yet.</p>") : HtmlText.Each(hosts, Host))}
            <h2>Hosts that the mesh does not know</h2>
            <p>{outbound.Policy}, says {outbound.Source}. {outbound.PassthroughRequests} request(s) went on, {outbound.BlackHoleRequests} were refused.</p>
            """);
    }

    private static HtmlText Host(HostDump host)
        => HtmlText.Of($"""
            <details open><summary><code>{host.Authority}</code> {AdminPage.State(host.Status)} <span class="dim">{host.RouteConfiguration} {host.RouteVersion} · {host.VirtualHost?.Name}</span></summary>
            {(host.Error is { } error ? HtmlText.Of($"<p class=\"bad\">{error}</p>") : HtmlText.Empty)}
            {(host.VirtualHost is { } virtualHost ? Table(virtualHost) : HtmlText.Empty)}
            {AdminPage.List(host.Chains.SelectMany(c => c.Clusters.Select(w => $"connections {(c.Match.Count == 0 ? "" : string.Join(" and ", c.Match) + " ")}to {w.Cluster}, weight {w.Weight}")))}
            </details>
            """);

    private static HtmlText Table(VirtualHostDump host)
        => HtmlText.Of($"""
            {AdminPage.Table(
                ["", "Route", "A request has to", "Then", "And"],
                host.Routes.Select(r => HtmlText.Of($"<tr><td class=\"n\">{r.Index}</td><td>{r.Name}</td><td>{AdminPage.List(r.Match)}</td><td>{r.Action}</td><td>{AdminPage.List(r.Policies)}</td></tr>")),
                "It has no routes.")}
            {(host.TotalRoutes > host.Routes.Count ? HtmlText.Of($"<p class=\"dim\">and {host.TotalRoutes - host.Routes.Count} more</p>") : HtmlText.Empty)}
            """);
}
