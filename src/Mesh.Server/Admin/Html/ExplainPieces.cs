using Mesh.DataPlane.Explaining;

namespace Mesh.Server.Admin.Html;

/// <summary>The forms that ask why, and the answers.</summary>
internal static class ExplainPieces
{
    public static HtmlText Form(AdminRequest request)
        => HtmlText.Of($"""
            <form method="get" action="{request.Root}/explain">
            <label>Method<input name="method" size="7" value="{Or(request["method"], "GET")}"></label>
            <label>Host<input name="host" placeholder="reviews:9080, tcp://mysql:3306" value="{request["host"]}" required></label>
            <label>Server name, for tcp://<input name="sni" value="{request["sni"]}"></label>
            <label class="wide">Path<input name="path" value="{Or(request["path"], "/")}"></label>
            <label class="wide">Headers, one a line<textarea name="header" rows="2" placeholder="end-user: jason">{string.Join('\n', request.All("header"))}</textarea></label>
            <label>Draw<input name="draw" size="17" placeholder="any" value="{request["draw"]}"></label>
            <input type="hidden" name="format" value="html"><button>Explain</button>
            </form>
            """);

    public static HtmlText InboundForm(AdminRequest request)
        => HtmlText.Of($"""
            <form method="get" action="{request.Root}/explain/inbound">
            <label>Port<input name="port" size="6" value="{request["port"]}"></label>
            <label class="wide">Who calls (SPIFFE id; empty for plain text)<input name="principal" placeholder="spiffe://cluster.local/ns/default/sa/productpage" value="{request["principal"]}"></label>
            <label>From address<input name="address" size="15" value="{Or(request["address"], "127.0.0.1")}"></label>
            <label>Method<input name="method" size="7" value="{Or(request["method"], "GET")}"></label>
            <label>Host<input name="host" placeholder="reviews:9080" value="{request["host"]}"></label>
            <label class="wide">Path<input name="path" value="{Or(request["path"], "/")}"></label>
            <label class="wide">Headers, one a line<textarea name="header" rows="2">{string.Join('\n', request.All("header"))}</textarea></label>
            <label class="wide">Claims of a good token, one a line<textarea name="claim" rows="2" placeholder="iss: testing@secure.istio.io">{string.Join('\n', request.All("claim"))}</textarea></label>
            <input type="hidden" name="format" value="html"><button>Explain</button>
            </form>
            """);

    public static HtmlText Of(AdminRequest request, Explanation explanation)
        => HtmlText.Of($"""
            <h2>{explanation.Verdict}</h2>
            <p><code>{explanation.Request}</code><br><span class="dim">draw {explanation.Draw}{(explanation.At is { } at ? HtmlText.Of($", at {at:u}") : HtmlText.Empty)}{(explanation.ReplayAgrees is { } agrees ? (agrees ? ", and deciding again leads there again" : ", and deciding again would lead elsewhere: a filter has changed the request on its way") : "")}</span></p>
            {AdminPage.List(explanation.Lines)}
            {Section("Routes", explanation.Routes, ["", "Route", "Verdict", "Why", "Then"], r => HtmlText.Of($"<tr><td class=\"n\">{r.Index}</td><td>{r.Name}</td><td>{AdminPage.State(r.Verdict)}</td><td>{r.Reason}</td><td>{r.Action}</td></tr>"))}
            {Section("Filters", explanation.Filters, ["Filter", "Verdict", "What it does"], Filter)}
            {(explanation.Policies.Count > 0 ? HtmlText.Of($"<h2>What the route does beside</h2>{AdminPage.List(explanation.Policies)}") : HtmlText.Empty)}
            {Section("Cluster", explanation.Clusters, ["Cluster", "Weight"], c => HtmlText.Of($"<tr><td><a href=\"{request.Root}/clusters?format=html\"><code>{c.Cluster}</code></a>{(c.Cluster == explanation.Cluster ? HtmlText.Of($" <span class=\"good\">chosen</span>") : HtmlText.Empty)}</td><td class=\"n\">{c.Weight}</td></tr>"))}
            {Section("Endpoints", explanation.Candidates, ["Endpoint", "Health", "Active", "Priority", "Locality", ""], Candidate)}
            """);

    public static HtmlText Of(InboundExplanation explanation)
        => HtmlText.Of($"""
            <h2 class="{(explanation.IsAllowed ? "good" : "bad")}">{explanation.Verdict}</h2>
            <p><code>{explanation.Request}</code></p>
            {AdminPage.List(explanation.Lines)}
            {Section("Who decides on the connection", explanation.ConnectionFilters, ["Filter", "Verdict", "Why"], Filter)}
            {Section("Who decides on the request", explanation.Filters, ["Filter", "Verdict", "Why"], Filter)}
            {Section(
                "Policies of authorization",
                explanation.ConnectionFilters.Concat(explanation.Filters).SelectMany(f => f.Policies).ToList(),
                ["Policy", "Action", "For this request", "For this caller", "Applies"],
                p => HtmlText.Of($"<tr><td>{p.Source ?? p.Name}<br><code class=\"dim\">{p.Name}</code></td><td>{p.Action}{(p.IsShadow ? " (dry run)" : "")}</td><td>{YesNo(p.OperationMatches)}</td><td>{YesNo(p.SourceMatches)}</td><td>{YesNo(p.Matches)}</td></tr>"))}
            """);

    private static HtmlText Section<T>(string title, IReadOnlyList<T> items, IEnumerable<string> heads, Func<T, HtmlText> row)
        => items.Count == 0 ? HtmlText.Empty : HtmlText.Of($"<h2>{title}</h2>{AdminPage.Table(heads, items.Select(row), "")}");

    private static HtmlText Filter(FilterVerdict f) => HtmlText.Of($"<tr><td>{f.Name}<br><span class=\"dim\">{f.Kind}</span></td><td>{AdminPage.State(f.Verdict)}</td><td>{f.Reason}</td></tr>");

    private static HtmlText Candidate(Candidate c)
        => HtmlText.Of($"""
            <tr><td><code>{c.Endpoint.Address}</code></td><td>{AdminPage.State(c.Endpoint.Health)}</td><td class="n">{c.Endpoint.ActiveRequests}</td><td class="n">{c.Endpoint.Priority}</td><td>{c.Endpoint.Locality}</td>
            <td>{(c.IsPicked ? HtmlText.Of($"<span class=\"good\">picked</span>") : c.WhyNot is { } why ? HtmlText.Of($"<span class=\"warn\">not: {why}</span>") : HtmlText.Of($"one of those that share {c.Percent} %"))}</td></tr>
            """);

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static string Or(string text, string other) => text.Length > 0 ? text : other;
}
