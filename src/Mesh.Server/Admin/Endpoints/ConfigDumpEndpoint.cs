using Mesh.DataPlane.Explaining;
using Mesh.Xds.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>
/// The configuration as it was received, in Envoy's shape and with versions, without keys and other secrets. <c>?include_eds</c> adds endpoints,
/// <c>?name_regex=</c> and <c>?resource=dynamic_active_clusters</c> narrow it.
/// </summary>
internal sealed class ConfigDumpEndpoint() : AdminEndpoint("/config_dump", "Received")
{
    public override async Task GetAsync(AdminRequest request)
    {
        var (isGood, name) = await request.PatternAsync("name_regex").ConfigureAwait(false);
        if (!isGood)
        {
            return;
        }

        var resource = request["resource"];
        var dump = ReceivedConfig.Of(request.Engine.Client.Status, request.Has("include_eds") || resource.Contains("endpoint", StringComparison.Ordinal), name);
        if (resource.Length > 0)
        {
            if (ReceivedConfig.Only(dump, resource) is not { } only)
            {
                await request.RefuseAsync(StatusCodes.Status404NotFound, "resource is none of dynamic_listeners, dynamic_route_configs, dynamic_active_clusters, dynamic_endpoint_configs, dynamic_active_secrets.").ConfigureAwait(false);
                return;
            }

            dump = only;
        }

        await request.WriteAsync(XdsJson.TextOf(dump) + "\n", "application/json; charset=utf-8", StatusCodes.Status200OK).ConfigureAwait(false);
    }
}
