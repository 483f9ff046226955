using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Upstream;

/// <summary>Makes the responses of local replies, for HTTP and for gRPC callers.</summary>
internal static class LocalReplies
{
    public static HttpResponseMessage Create(LocalReply reply, HttpRequestMessage request, byte[]? body = null)
    {
        RequestOutcome.TellReply(request, reply);
        return IsGrpc(request) ? CreateGrpc(reply, request, body) : CreateHttp(reply, request, body);
    }

    private static HttpResponseMessage CreateHttp(LocalReply reply, HttpRequestMessage request, byte[]? body)
    {
        var content = new ByteArrayContent(request.Method == HttpMethod.Head ? [] : body ?? Encoding.UTF8.GetBytes(reply.Body));
        if (content.Headers.ContentLength > 0)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        }

        var response = new HttpResponseMessage(reply.Status) { RequestMessage = request, Version = HttpVersion.Version11, Content = content };
        AddHeaders(reply, response);
        return response;
    }

    // Envoy answers gRPC with trailers only: the status stands among the headers of an empty HTTP/2 response.
    private static HttpResponseMessage CreateGrpc(LocalReply reply, HttpRequestMessage request, byte[]? body)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK)
        {
            RequestMessage = request,
            Version = HttpVersion.Version20,
            Content = new ByteArrayContent([]),
        };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        response.Headers.TryAddWithoutValidation("grpc-status", GrpcStatus(reply).ToString(CultureInfo.InvariantCulture));
        var message = body is null ? reply.Body : Encoding.UTF8.GetString(body);
        if (message.Length > 0)
        {
            response.Headers.TryAddWithoutValidation("grpc-message", GrpcStatusMessage.Encode(message));
        }

        AddHeaders(reply, response);
        return response;
    }

    private static void AddHeaders(LocalReply reply, HttpResponseMessage response)
    {
        foreach (var (name, value) in reply.Headers)
        {
            if (!HeaderName.IsContent(name))
            {
                response.Headers.TryAddWithoutValidation(name, value);
            }
            else if (!name.Equals("content-length", StringComparison.OrdinalIgnoreCase))
            {
                // What is said of the body takes the place of what would be said otherwise.
                response.Content.Headers.Remove(name);
                response.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    /// <summary>What gRPC callers get.</summary>
    public static int GrpcStatus(LocalReply reply) => reply.GrpcStatus ?? (int)GrpcStatus(reply.Status);

    // Envoy's httpToGrpcStatus.
    private static StatusCode GrpcStatus(HttpStatusCode status)
        => status switch
        {
            HttpStatusCode.BadRequest => StatusCode.Internal,
            HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
            HttpStatusCode.NotFound => StatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
                => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        };

    /// <summary>Envoy: <c>application/grpc</c>, alone or with a suffix.</summary>
    public static bool IsGrpc(HttpRequestMessage request)
        => request.Content is { } content && content.Headers.NonValidated.TryGetValues("Content-Type", out var values) && IsGrpc(values.ToString());

    /// <summary>Whether a content type is that of gRPC.</summary>
    public static bool IsGrpc(string? type)
        => type is not null
            && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            && (type.Length == 16 || type[16] is '+' or ';');
}
