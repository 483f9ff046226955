using Envoy.Service.Auth.V3;
using Mesh.Client.Tests.Servers;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.Filters;

/// <summary>A gRPC server of <c>envoy.service.auth.v3.Authorization</c>, on a socket.</summary>
internal static class AuthorizerServer
{
    public static Task<WebServer> StartAsync(Func<CheckRequest, Task<CheckResponse>> check) => StartAsync((request, _) => check(request));

    /// <param name="check">Answers; the token ends when the caller does not wait any more.</param>
    public static Task<WebServer> StartAsync(Func<CheckRequest, CancellationToken, Task<CheckResponse>> check)
        => WebServer.StartAsync(
            async context =>
            {
                context.Request.Path.Value.ShouldBe("/envoy.service.auth.v3.Authorization/Check");
                context.Request.ContentType.ShouldBe("application/grpc");
                var request = await new GrpcMessageReader(context.Request.BodyReader, GrpcEncoding.Identity).ReadAsync(CheckRequest.Parser, context.RequestAborted);
                context.Response.ContentType = "application/grpc";
                await context.Response.StartAsync();
                await new GrpcMessageWriter(context.Response.BodyWriter, GrpcEncoding.Identity).WriteAsync(await check(request!, context.RequestAborted), context.RequestAborted);
                context.Response.AppendTrailer("grpc-status", "0");
            },
            HttpProtocols.Http2);
}
