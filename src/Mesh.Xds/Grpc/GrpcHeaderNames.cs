namespace Mesh.Xds.Grpc;

/// <summary>The header and trailer names of gRPC over HTTP/2, in the lower case of the wire.</summary>
internal static class GrpcHeaderNames
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Timeout = "grpc-timeout";

    /// <summary>What this implementation can read, as the value of <see cref="AcceptEncoding"/>.</summary>
    public const string SupportedEncodings = "identity,gzip";

    /// <summary>Whether a <c>content-type</c> is gRPC's: <c>application/grpc</c> itself or with a <c>+proto</c> suffix or parameters.</summary>
    public static bool IsGrpcContentType(string? contentType)
        => contentType is not null
            && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
            && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');
}
