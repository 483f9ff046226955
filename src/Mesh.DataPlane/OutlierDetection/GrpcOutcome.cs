using System.Globalization;
using System.Net.Http.Headers;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.OutlierDetection;

/// <summary>What a gRPC status counts as in HTTP (Envoy's <c>grpcToHttpStatus</c>).</summary>
internal static class GrpcOutcome
{
    /// <summary>The HTTP status that <c>grpc-status</c> in the response's headers stands for; <see langword="null"/> when the headers carry none.</summary>
    public static int? ReadHttpStatus(HttpResponseMessage response) => ReadHttpStatus(response.Headers);

    /// <summary>As <see cref="ReadHttpStatus(HttpResponseMessage)"/>, of headers or trailers.</summary>
    public static int? ReadHttpStatus(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(GrpcHeaderNames.Status, out var values))
        {
            return null;
        }

        return int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? ToHttpStatus((StatusCode)status) : 500;
    }

    public static int ToHttpStatus(StatusCode status) => status switch
    {
        StatusCode.Ok => 200,
        StatusCode.Cancelled => 499,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.DeadlineExceeded => 504,
        StatusCode.NotFound => 404,
        StatusCode.AlreadyExists or StatusCode.Aborted => 409,
        StatusCode.PermissionDenied => 403,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Unimplemented => 501,
        StatusCode.Unavailable => 503,
        StatusCode.Unauthenticated => 401,
        _ => 500,
    };
}
