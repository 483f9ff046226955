using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Http;

/// <summary>
/// Refuses requests whose end two readers could see at two places. The server reads them in one way that is right, but whoever passed them on may
/// have read them in another, and what is one request here was two there.
/// </summary>
internal static class RequestFraming
{
    // What the server makes of a length that it has not believed.
    private const string UnbelievedLength = "X-Content-Length";

    /// <returns>The reply to a request that is framed in two ways; <see langword="null"/> for every other one.</returns>
    public static LocalReply? Check(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.TransferEncoding.Count == 0)
        {
            return null;
        }

        if (headers.ContentLength is not null || headers.ContainsKey(UnbelievedLength))
        {
            return InboundReplies.LengthAndChunked;
        }

        return headers.TransferEncoding is [var only] && string.Equals(only, "chunked", StringComparison.OrdinalIgnoreCase) ? null : InboundReplies.TransferCoding;
    }

    /// <summary>Answers, and ends the connection: nobody knows where the next request would begin.</summary>
    public static Task RefuseAsync(HttpContext context, LocalReply reply)
    {
        context.Response.StatusCode = (int)reply.Status;
        context.Response.Headers[HeaderNames.Connection] = "close";
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = reply.Body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(reply.Body, context.RequestAborted);
    }
}
