using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Mesh.Xds.Grpc;

/// <summary>Turns what HTTP/2 reports into the status that gRPC prescribes (gRPC over HTTP/2, "Errors" and the HTTP-to-gRPC status mapping).</summary>
internal static class GrpcFailures
{
    /// <summary>The status in headers or trailers; <see langword="null"/> if they carry none.</summary>
    public static RpcStatus? ReadStatus(HttpHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(GrpcHeaderNames.Status, out var values))
        {
            return null;
        }

        var text = values.ToString();
        var message = headers.NonValidated.TryGetValues(GrpcHeaderNames.Message, out var messages) ? GrpcStatusMessage.Decode(messages.ToString()) : "";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code <= (int)StatusCode.Unauthenticated
            ? new((StatusCode)code, message)
            : new(StatusCode.Unknown, $"the server answered with grpc-status '{text}': {message}");
    }

    /// <summary>What a response means that is not gRPC's.</summary>
    public static RpcStatus FromHttp(HttpStatusCode status, string? contentType)
    {
        var code = (int)status switch
        {
            400 => StatusCode.Internal,
            401 => StatusCode.Unauthenticated,
            403 => StatusCode.PermissionDenied,
            404 => StatusCode.Unimplemented,
            429 or 502 or 503 or 504 => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        };
        return new(code, $"the server answered with HTTP status {(int)status} and content-type '{contentType}' instead of a gRPC response");
    }

    /// <summary>What a broken stream or connection means.</summary>
    public static RpcException FromTransport(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case RpcException rpc:
                    return rpc;
                case HttpProtocolException protocol:
                    return new RpcException(FromHttp2(protocol.ErrorCode), protocol.Message, exception);
                default:
                    break;
            }
        }

        return new RpcException(StatusCode.Unavailable, Flatten(exception), exception);
    }

    private static StatusCode FromHttp2(long errorCode) => errorCode switch
    {
        // NO_ERROR on a stream is INTERNAL in gRPC's table, but what HttpClient reports with it is a connection closed by GOAWAY: a server that stops.
        0x0 => StatusCode.Unavailable,
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM
        0x8 => StatusCode.Cancelled, // CANCEL
        0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        0xd => StatusCode.Unknown, // HTTP_1_1_REQUIRED
        _ => StatusCode.Internal,
    };

    /// <summary>HttpClient hides the reason ("Connection refused") in inner exceptions.</summary>
    private static string Flatten(Exception exception)
        => exception.InnerException is { } inner && !exception.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $"{exception.Message} {Flatten(inner)}"
            : exception.Message;
}
