using System.Net;
using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>The ports that the mesh covers, and the listeners of the hosts that are called.</summary>
internal sealed class ListenersEndpoint() : AdminEndpoint("/listeners", "Listeners")
{
    public override Task GetAsync(AdminRequest request)
    {
        var ports = EngineDump.PortsOf(request.Ports);
        var hosts = EngineDump.HostsOf(request.Engine);
        return request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new
            {
                listener_statuses = ports.Select(p => new
                {
                    name = p.Name,
                    local_address = IPEndPoint.TryParse(p.Address, out var address) ? new { socket_address = new { address = address.Address.ToString(), port_value = address.Port } } : null,
                    status = p.Status,
                    version = p.Version,
                    refusal = p.Refusal,
                    connections = p.Connections,
                    draining = p.Draining,
                    chains = p.Chains,
                }),
                hosts,
            }),
            AdminFormat.Html => request.WritePageAsync("Listeners", Page(ports, hosts)),
            _ => request.WriteTextAsync(string.Concat(ports.Select(p => $"{p.Name}::{p.Address}\n").Concat(hosts.Select(h => $"{h.Authority}::{h.Status}\n")))),
        };
    }

    private static HtmlText Page(IReadOnlyList<PortDump> ports, IReadOnlyList<HostDump> hosts)
        => HtmlText.Of($"""
            <h2>Coming in: ports that the mesh covers</h2>
            {(ports.Count == 0 ? HtmlText.Of($"<p class=\"dim\">None.</p>") : HtmlText.Each(ports, Port))}
            <h2>Going out: hosts that are called</h2>
            {AdminPage.Table(
                ["Host", "State", "Version", "Routes", "Filters"],
                hosts.Select(h => HtmlText.Of($"<tr><td><code>{h.Authority}</code></td><td>{AdminPage.State(h.Status)}<br>{h.Error}</td><td>{h.Version}</td><td>{h.RouteConfiguration} {h.RouteVersion}</td><td>{string.Join(", ", h.Filters)}</td></tr>")),
                "No host has been called yet.")}
            """);

    private static HtmlText Port(PortDump port)
        => HtmlText.Of($"""
            <details open><summary><code>{port.Address}</code> {AdminPage.State(port.Status)} <span class="dim">{port.Name} · version {port.Version} · {port.Connections} connection(s), {port.Draining} draining</span></summary>
            {(port.Refusal is { } refusal ? HtmlText.Of($"<p class=\"bad\">{refusal}</p>") : HtmlText.Empty)}
            {AdminPage.Table(
                ["Chain", "For", "Security", "Connections pass", "Requests pass", "Routes"],
                port.Chains.Select(c => HtmlText.Of($"<tr><td>{c.Name}</td><td>{(c.Match.Count == 0 ? "any" : string.Join("; ", c.Match))}</td><td>{c.Tls}</td><td>{string.Join(", ", c.NetworkFilters)}</td><td>{string.Join(", ", c.HttpFilters)}</td><td>{string.Join(", ", c.VirtualHosts.Select(v => v.Name))}</td></tr>")),
                "There is no filter chain in force.")}
            </details>
            """);
}
