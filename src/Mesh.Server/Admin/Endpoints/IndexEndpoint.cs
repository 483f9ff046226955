using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>The state of the process at a glance, and the list of all there is.</summary>
internal sealed class IndexEndpoint(ServerState state, Lazy<AdminEndpoints> endpoints) : AdminEndpoint("/", "Overview")
{
    public override Task GetAsync(AdminRequest request)
        => request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Html => request.WritePageAsync("Overview", Page(request)),
            AdminFormat.Json => request.WriteJsonAsync(endpoints.Value.All.Select(e => new { path = request.Root + e.Path, title = e.Title, changes = e.Changes })),
            _ => request.WriteTextAsync(string.Concat(endpoints.Value.All.Select(e => $"{request.Root}{e.Path}: {e.Title}{(e.Changes ? " (POST changes it)" : "")}\n"))),
        };

    private HtmlText Page(AdminRequest request)
    {
        var engine = request.Engine;
        var dump = EngineDump.Of(engine, request.Ports, request.Time);
        var (name, reason) = state.Current;
        var own = dump.Secrets.FirstOrDefault(s => s.CertChain.Count > 0);
        var endpointsOf = dump.Clusters.SelectMany(c => c.Endpoints).ToList();
        return HtmlText.Of($"""
            <p>{AdminPage.State(name)} {reason} <span class="dim">up for {(state.Uptime.TotalDays >= 1 ? $"{state.Uptime.Days} day(s) " : "")}{state.Uptime:hh\:mm\:ss}</span></p>
            <p>{(own is null ? HtmlText.Of($"<span class=\"dim\">no identity</span>") : HtmlText.Of($"<code>{own.CertChain[0].Names.FirstOrDefault() ?? own.CertChain[0].Subject}</code>, valid until {own.CertChain[0].ExpirationTime:u}"))}</p>
            <h2>Control plane</h2>
            {XdsEndpoint.Connection(dump.Xds)}
            {XdsEndpoint.Types(dump.Xds)}
            <h2>Why does a request go where it goes?</h2>
            {ExplainPieces.Form(request)}
            <h2>Hosts that are called</h2>
            {AdminPage.Table(
                ["Host", "State", "Routes", "Leads to"],
                dump.Hosts.Select(h => HtmlText.Of($"<tr><td><code>{h.Authority}</code></td><td>{AdminPage.State(h.Status)}<br>{h.Error}</td><td class=\"n\">{h.VirtualHost?.TotalRoutes}</td><td>{AdminPage.List((h.VirtualHost?.Routes ?? []).SelectMany(r => r.Clusters).Concat(h.Chains.SelectMany(c => c.Clusters)).Select(w => w.Cluster).Distinct(StringComparer.Ordinal).Take(10))}</td></tr>")),
                "None yet: a host is asked for when the first request goes to it.")}
            <h2>Endpoints</h2>
            <p>{dump.Clusters.Count} cluster(s) with {endpointsOf.Count} endpoint(s), {endpointsOf.Count(e => e.Ejection is not null)} ejected, {endpointsOf.Count(e => !e.IsAvailable)} not available; {endpointsOf.Sum(e => e.ActiveRequests)} request(s) on their way.</p>
            <h2>Ports that the mesh covers</h2>
            {AdminPage.Table(
                ["Port", "State", "Connections", "Chains"],
                dump.Ports.Select(p => HtmlText.Of($"<tr><td><code>{p.Address}</code></td><td>{AdminPage.State(p.Status)}<br>{p.Refusal}</td><td class=\"n\">{p.Connections}</td><td>{AdminPage.List(p.Chains.Select(c => $"{c.Name}: {c.Tls}"))}</td></tr>")),
                "None.")}
            <h2>Everything</h2>
            {AdminPage.Table(
                ["Path", "What it is"],
                endpoints.Value.All.Select(e => HtmlText.Of($"<tr><td><a href=\"{request.Root}{e.Path}\"><code>{e.Path}</code></a></td><td>{e.Title}</td></tr>")),
                "")}
            """);
    }
}
