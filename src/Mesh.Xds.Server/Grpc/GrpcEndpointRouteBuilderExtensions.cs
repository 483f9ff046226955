using Google.Protobuf;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Mesh.Xds.Server.Grpc;

/// <summary>gRPC methods as endpoints.</summary>
internal static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>Maps a method with one request and one response.</summary>
    /// <param name="endpoints">Where to map.</param>
    /// <param name="method">The method's path: <c>/package.Service/Method</c>.</param>
    /// <param name="parser">Parses the request.</param>
    /// <param name="handler">Answers; an <see cref="RpcException"/> sets the status.</param>
    public static IEndpointConventionBuilder MapGrpcUnary<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string method,
        MessageParser<TRequest> parser,
        Func<TRequest, HttpContext, CancellationToken, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        return endpoints.MapPost(method, context => GrpcProtocol.RunAsync(context, async (encoding, cancellation) =>
        {
            var call = new GrpcServerCall<TRequest, TResponse>(context, parser, encoding, cancellation);
            var request = await call.ReadAsync(cancellation)
                ?? throw new RpcException(StatusCode.Internal, "the request has no message");
            await call.WriteAsync(await handler(request, context, cancellation), cancellation);
        }));
    }

    /// <summary>Maps a method with a stream in each direction.</summary>
    /// <inheritdoc cref="MapGrpcUnary"/>
    public static IEndpointConventionBuilder MapGrpcDuplex<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string method,
        MessageParser<TRequest> parser,
        Func<GrpcServerCall<TRequest, TResponse>, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        return endpoints.MapPost(method, context => GrpcProtocol.RunAsync(context, async (encoding, cancellation) =>
        {
            // HttpClient gives its caller the stream only when headers have arrived; StartAsync alone leaves them in Kestrel.
            await context.Response.BodyWriter.FlushAsync(cancellation);
            await handler(new GrpcServerCall<TRequest, TResponse>(context, parser, encoding, cancellation));
        }));
    }

    /// <summary>Answers gRPC calls of methods that nothing else answers with UNIMPLEMENTED.</summary>
    public static IEndpointConventionBuilder MapGrpcUnimplemented(this IEndpointRouteBuilder endpoints)
    {
        var pattern = RoutePatternFactory.Parse("{service}/{method}", defaults: null, parameterPolicies: new { service = new GrpcContentTypeConstraint() });
        var endpoint = endpoints.Map(pattern, context => GrpcProtocol.RunAsync(context, (_, _) =>
            throw new RpcException(StatusCode.Unimplemented, $"there is no method {context.Request.Path}")));
        endpoint.WithMetadata(new HttpMethodMetadata([HttpMethods.Post]));
        endpoint.Add(builder => ((RouteEndpointBuilder)builder).Order = int.MaxValue);
        return endpoint;
    }
}
