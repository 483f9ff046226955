using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mesh.Xds.Server.Grpc;

/// <summary>Keeps the catch-all for unknown methods away from requests that are not gRPC.</summary>
internal sealed class GrpcContentTypeConstraint : IRouteConstraint
{
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        GrpcHeaderNames.IsGrpcContentType(httpContext?.Request.ContentType);
}
