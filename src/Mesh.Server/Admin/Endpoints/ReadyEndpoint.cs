using Mesh.Server.Admin.Html;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>Whether the process takes part in the mesh: 200 and <c>LIVE</c>, or 503 and what is missing.</summary>
internal sealed class ReadyEndpoint(ServerState state) : AdminEndpoint("/ready", "Ready")
{
    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request)
    {
        var (name, reason) = state.Current;
        var status = name == ServerState.Live ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return request.FormatOr(AdminFormat.Text) switch
        {
            AdminFormat.Json => request.WriteJsonAsync(new { state = name, reason }, status),
            AdminFormat.Html => request.WritePageAsync("Ready", HtmlText.Of($"<p>{AdminPage.State(name)} {reason}</p>"), status),
            _ => request.WriteTextAsync(reason is null ? $"{name}\n" : $"{name}: {reason.ReplaceLineEndings(" ")}\n", status),
        };
    }
}
