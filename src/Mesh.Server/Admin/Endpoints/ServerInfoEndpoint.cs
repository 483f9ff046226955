using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>Which program this is, since when it runs, and who it says it is.</summary>
internal sealed class ServerInfoEndpoint(ServerState state) : AdminEndpoint("/server_info", "Process")
{
    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request)
    {
        var uptime = string.Create(CultureInfo.InvariantCulture, $"{(long)state.Uptime.TotalSeconds}s");
        return request.WriteJsonAsync(new
        {
            version = $"{XdsNode.UserAgentName}/{XdsNode.UserAgentVersion}/.NET {Environment.Version}",
            state = state.Current.State,
            reason = state.Current.Reason,
            uptime_current_epoch = uptime,
            uptime_all_epochs = uptime,
            node = JsonNode.Parse(XdsJson.TextOf(MessageRedaction.Of(request.Engine.Client.Node))),
        });
    }
}
