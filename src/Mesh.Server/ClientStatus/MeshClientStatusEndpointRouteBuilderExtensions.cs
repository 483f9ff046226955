using System.Net;
using Mesh.Xds.Client;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Grpc;
using Mesh.Xds.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts what this process has got from its control plane among an application's endpoints, for the tools that read gRPC's clients.</summary>
public static class MeshClientStatusEndpointRouteBuilderExtensions
{
    // A control plane on the same port tells of all its clients, this one included.
    private const int BehindControlPlane = 1;

    /// <summary>
    /// Maps Envoy's <c>ClientStatusDiscoveryService</c> (CSDS; <c>FetchClientStatus</c> and <c>StreamClientStatus</c>) as gRFC A40 has it for clients:
    /// every resource with its version, its state, and why it was refused, without secrets. <c>grpcdebug &lt;address&gt; xds status</c> reads it. The port
    /// must speak HTTP/2. Callers on other machines are refused, unless the application authorizes them:
    /// <c>app.MapMeshClientStatus().RequireAuthorization(…)</c>.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <returns>A builder for conventions of these endpoints.</returns>
    /// <exception cref="InvalidOperationException">The application is no part of a mesh.</exception>
    public static IEndpointConventionBuilder MapMeshClientStatus(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var client = endpoints.ServiceProvider.GetService<IXdsClient>()
            ?? throw new InvalidOperationException("MapMeshClientStatus: the application is no part of a mesh; call AddMesh() on its builder first.");
        return ClientStatusEndpoint.Map(
            endpoints,
            (request, context) => IsLocal(context) || IsAuthorized(context)
                ? OwnClientStatus.Read(client, request)
                : throw new RpcException(
                    StatusCode.PermissionDenied, "only callers on this machine are answered; app.MapMeshClientStatus().RequireAuthorization(…) opens it to whom the application authorizes"),
            BehindControlPlane);
    }

    // The address of the connection itself: forwarded headers may have put another one in its place for the application.
    private static bool IsLocal(HttpContext context)
        => context.Features.Get<IConnectionEndPointFeature>()?.RemoteEndPoint switch
        {
            IPEndPoint ip => IsLoopback(ip.Address) && (context.Connection.RemoteIpAddress is not { } said || IsLoopback(said)),
            System.Net.Sockets.UnixDomainSocketEndPoint => true,
            _ => context.Connection.RemoteIpAddress is { } said && IsLoopback(said),
        };

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    // Whoever gets here has passed the application's policy, if there is one on these endpoints.
    private static bool IsAuthorized(HttpContext context)
        => context.GetEndpoint()?.Metadata is { } metadata && metadata.GetMetadata<IAllowAnonymous>() is null
            && (metadata.GetMetadata<IAuthorizeData>() is not null || metadata.GetMetadata<AuthorizationPolicy>() is not null);
}
