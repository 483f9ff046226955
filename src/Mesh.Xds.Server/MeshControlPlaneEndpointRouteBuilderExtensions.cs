using System.Text;
using Mesh.Xds.Server;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts what may be asked of a control plane, and changed, among an application's endpoints.</summary>
public static class MeshControlPlaneEndpointRouteBuilderExtensions
{
    private const int MaxBodyBytes = 1 << 20;

    /// <summary>
    /// Maps <c>GET status</c>, <c>POST root-rotation</c>, <c>PUT config/{file}</c> and <c>DELETE config/{file}</c> below a path. Who may is decided by
    /// <c>Mesh:ControlPlane:Authentication:Roles</c>: nobody but those named there, except that everybody on the same machine may read the status.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="path">The path.</param>
    /// <returns>A builder for conventions of all these endpoints.</returns>
    /// <exception cref="InvalidOperationException">No control plane is registered.</exception>
    public static IEndpointConventionBuilder MapMeshControlPlane(this IEndpointRouteBuilder endpoints, string path = "/mesh/control-plane")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var admin = endpoints.ServiceProvider.GetService<IControlPlaneAdmin>()
            ?? throw new InvalidOperationException("MapMeshControlPlane: no control plane is registered; call AddMeshControlPlane() on the services first.");
        var group = endpoints.MapGroup(path);
        group.MapGet("/status", (HttpContext context) => ReplyAsync(context, admin.Status(HttpCaller.CredentialsOf(context))));
        group.MapPost("/root-rotation", (HttpContext context) => ReplyAsync(context, admin.BeginRootRotation(HttpCaller.CredentialsOf(context))));
        group.MapPut("/config/{file}", async (HttpContext context, string file) =>
        {
            var yaml = await ReadAsync(context);
            await ReplyAsync(context, yaml is null ? new AdminReply(StatusCodes.Status413PayloadTooLarge) : admin.PutConfig(HttpCaller.CredentialsOf(context), file, yaml));
        });
        group.MapDelete("/config/{file}", (HttpContext context, string file) => ReplyAsync(context, admin.DeleteConfig(HttpCaller.CredentialsOf(context), file)));
        return group;
    }

    private static async Task<string?> ReadAsync(HttpContext context)
    {
        var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
        {
            if (buffer.Length + read > MaxBodyBytes)
            {
                return null;
            }

            buffer.Write(chunk, 0, read);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static Task ReplyAsync(HttpContext context, AdminReply reply)
    {
        context.Response.StatusCode = reply.StatusCode;
        if (reply.Json is null)
        {
            return Task.CompletedTask;
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(reply.Json, context.RequestAborted);
    }
}
