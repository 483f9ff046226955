using Mesh;
using Mesh.Server.Admin;
using Mesh.Server.Admin.Endpoints;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts the mesh's admin and metrics among the endpoints of an application.</summary>
public static class MeshAdminEndpointRouteBuilderExtensions
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post];

    /// <summary>
    /// Shows what this process believes of the mesh: configuration as received and as compiled, clusters with the health of their endpoints, certificates
    /// without keys, the last ACK and NACK, counters, log levels, and why a request goes where it goes. Answers only callers on this machine that come
    /// directly, everybody else gets 404, unless the application authorizes them: <c>app.MapMeshAdmin("/mesh").RequireAuthorization("ops")</c>.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="pattern">Where it is put.</param>
    /// <returns>Adds conventions, such as authorization, to all of its endpoints.</returns>
    /// <exception cref="InvalidOperationException">The application is no part of a mesh: <c>AddMesh()</c> has not been called.</exception>
    public static IEndpointConventionBuilder MapMeshAdmin(this IEndpointRouteBuilder endpoints, string pattern = "/mesh")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        var services = endpoints.ServiceProvider;
        var door = services.GetService<AdminDoor>() ?? throw NoMesh(nameof(MapMeshAdmin));
        var settings = services.GetRequiredService<IOptions<MeshOptions>>().Value.Admin;
        var group = endpoints.MapGroup(pattern);
        foreach (var endpoint in services.GetRequiredService<AdminEndpoints>().All)
        {
            var path = endpoint.Path;
            group.MapMethods(path, Methods, (RequestDelegate)(context => door.AnswerAsync(context, RootOf(context.Request, path), path, AccessOf(context, settings))))
                .WithDisplayName($"Mesh admin {path}");
        }

        group.ExcludeFromDescription();
        return group;
    }

    /// <summary>
    /// Puts the mesh's metrics where Prometheus scrapes the application: in its text format, or in OpenMetrics with exemplars for who asks for it. Whoever
    /// can call the application can read them; add <c>.RequireAuthorization(…)</c> or <c>.RequireHost(…)</c> where that is too many.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="pattern">Where they are put.</param>
    /// <returns>Adds conventions to the endpoint.</returns>
    /// <exception cref="InvalidOperationException">The application is no part of a mesh: <c>AddMesh()</c> has not been called.</exception>
    public static IEndpointConventionBuilder MapMeshMetrics(this IEndpointRouteBuilder endpoints, string pattern = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        var registry = endpoints.ServiceProvider.GetService<MetricRegistry>() ?? throw NoMesh(nameof(MapMeshMetrics));
        return endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)(context => PrometheusEndpoint.WriteAsync(context, registry)))
            .WithDisplayName("Mesh metrics")
            .ExcludeFromDescription();
    }

    // As in ASP.NET Core itself, whoever is allowed to be anonymous is authorized by nobody.
    private static AdminAccess AccessOf(HttpContext context, MeshAdminOptions settings)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        var isAuthorized = metadata is not null
            && metadata.GetMetadata<IAllowAnonymous>() is null
            && (metadata.GetMetadata<IAuthorizeData>() is not null || metadata.GetMetadata<AuthorizationPolicy>() is not null || metadata.GetMetadata<IAuthorizationRequirementData>() is not null);
        return new AdminAccess(settings.AllowRemote, isAuthorized, HidesFromStrangers: true, [.. settings.AllowedHosts]);
    }

    // As it was asked for: the pattern may have parameters, and a proxy a prefix.
    private static string RootOf(HttpRequest request, string path)
    {
        var asked = (request.PathBase + request.Path).ToUriComponent().TrimEnd('/');
        var root = path.Length > 1 && asked.EndsWith(path, StringComparison.OrdinalIgnoreCase) ? asked[..^path.Length] : asked;

        // Two slashes would make every link one to another host.
        return root.StartsWith("//", StringComparison.Ordinal) ? "/" + root.TrimStart('/') : root;
    }

    private static InvalidOperationException NoMesh(string method)
        => new($"{method} has nothing to show: this application is no part of a mesh. Call builder.AddMesh() (or services.AddMeshServer()) first.");
}
