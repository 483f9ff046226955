using System.Text.Json.Nodes;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Json;
using Mesh.Xds.Redaction;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>Where the process has its configuration from, and who it said it was; without tokens and keys.</summary>
internal sealed class BootstrapEndpoint() : AdminEndpoint("/bootstrap", "Bootstrap")
{
    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request)
    {
        if (request.Services.GetService<XdsBootstrap>() is not { } bootstrap)
        {
            return request.RefuseAsync(StatusCodes.Status404NotFound, "This process has no bootstrap.");
        }

        return request.WriteJsonAsync(new
        {
            xds_servers = bootstrap.Servers.Select(s => new { server_uri = WithoutUser(s.ServerUri), channel_creds = s.Tls is null ? "insecure" : "tls", server_features = s.Features.ToString() }),
            node = JsonNode.Parse(XdsJson.TextOf(MessageRedaction.Of(request.Engine.Client.Node))),
            certificate_providers = bootstrap.CertificateProviders.Keys,
            authorities = bootstrap.Authorities.Keys,
            client_default_listener_resource_name_template = bootstrap.ClientDefaultListenerResourceNameTemplate,
            server_listener_resource_name_template = bootstrap.ServerListenerResourceNameTemplate,
        });
    }

    private static string WithoutUser(string uri)
        => uri.LastIndexOf('@') is >= 0 and var at ? (uri.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? uri[..(scheme + 3)] : "") + uri[(at + 1)..] : uri;
}
