using Mesh.DataPlane.Explaining;
using Mesh.Server.Admin.Html;
using Mesh.Xds.Client;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>How the process stands with its control plane: connection, and the last ACK and NACK of each kind with its text.</summary>
internal sealed class XdsEndpoint() : AdminEndpoint("/xds", "Control plane")
{
    // What is refused stands first; beyond that the list is one for programs.
    private const int MaxResources = 500;

    public override Task GetAsync(AdminRequest request)
    {
        var xds = XdsDump.Of(request.Engine.Client.Status);
        return request.FormatOr(AdminFormat.Json) == AdminFormat.Html
            ? request.WritePageAsync("Control plane", HtmlText.Of($"{Connection(xds)}{Types(xds)}{Resources(xds)}"))
            : request.WriteJsonAsync(xds);
    }

    public static HtmlText Connection(XdsDump xds)
        => HtmlText.Of($"<p>{AdminPage.State(xds.Connected ? "connected" : "disconnected")} to <code>{xds.Server}</code> {xds.ControlPlane}{(xds.LastError is { } error ? HtmlText.Of($"<br><span class=\"bad\">{error}</span>") : HtmlText.Empty)}</p>");

    public static HtmlText Types(XdsDump xds)
        => AdminPage.Table(
            ["Kind", "State", "Resources", "Last ACK", "Last NACK"],
            xds.Types.Select(t => HtmlText.Of($"<tr><td>{t.Type}</td><td>{AdminPage.State(t.Status)}</td><td>{string.Join(", ", t.Resources.Select(r => $"{r.Value} {r.Key}"))}</td><td>{Answer(t.LastAck)}</td><td>{Answer(t.LastNack)}</td></tr>")),
            "Nothing has been asked for yet.");

    private static HtmlText Resources(XdsDump xds)
        => HtmlText.Of($"""
            <h2>Resources</h2>
            {AdminPage.Table(
                ["Kind", "Name", "State", "Version", "Since", "What is wrong"],
                xds.Resources.OrderBy(r => r.State == "ACKED").ThenBy(r => r.TypeUrl, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal).Take(MaxResources)
                    .Select(r => HtmlText.Of($"<tr><td>{XdsTypeDump.ShortName(r.TypeUrl)}</td><td><code>{r.Name}</code></td><td>{AdminPage.State(r.State)}</td><td>{r.Version}</td><td>{r.LastUpdated:u}</td><td>{r.Error}</td></tr>")),
                "None.")}
            {(xds.Resources.Count > MaxResources ? HtmlText.Of($"<p class=\"dim\">and {xds.Resources.Count - MaxResources} more</p>") : HtmlText.Empty)}
            """);

    private static HtmlText Answer(XdsAnswer? answer)
        => answer is null ? HtmlText.Of($"<span class=\"dim\">none</span>") : HtmlText.Of($"{answer.Version} at {answer.At:u}{(answer.Error is { } error ? HtmlText.Of($"<br><span class=\"bad\">{error}</span>") : HtmlText.Empty)}");
}
