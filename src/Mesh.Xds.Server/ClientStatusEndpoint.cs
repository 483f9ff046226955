using Envoy.Service.Status.V3;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mesh.Xds.Server;

/// <summary>Envoy's <c>ClientStatusDiscoveryService</c> over whoever knows the status.</summary>
internal static class ClientStatusEndpoint
{
    /// <param name="endpoints">Where to map.</param>
    /// <param name="read">Answers; an <see cref="Mesh.Xds.Grpc.RpcException"/> sets the status of the call.</param>
    /// <param name="order">Of two that answer on one port, the one with the lower number does.</param>
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, Func<ClientStatusRequest, HttpContext, ClientStatusResponse> read, int order = 0)
    {
        var group = endpoints.MapGroup("");
        group.MapGrpcUnary<ClientStatusRequest, ClientStatusResponse>(
            ClientStatusMethods.Fetch, ClientStatusRequest.Parser, (request, context, _) => Task.FromResult(read(request, context)));
        group.MapGrpcDuplex<ClientStatusRequest, ClientStatusResponse>(ClientStatusMethods.Stream, ClientStatusRequest.Parser, async call =>
        {
            while (await call.ReadAsync(call.CancellationToken) is { } request)
            {
                await call.WriteAsync(read(request, call.HttpContext), call.CancellationToken);
            }
        });
        ((IEndpointConventionBuilder)group).Add(builder => ((RouteEndpointBuilder)builder).Order = order);
        return group;
    }
}
