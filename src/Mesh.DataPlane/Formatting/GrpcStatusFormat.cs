using System.Globalization;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Formatting;

/// <summary>The status of a gRPC response in the three spellings that Envoy has for it.</summary>
internal static class GrpcStatusFormat
{
    private static readonly HeaderName Status = new("grpc-status");
    private static readonly HeaderName ContentType = new("content-type");

    private static readonly string[] Camel =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted",
        "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ];

    private static readonly string[] Snake =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <exception cref="FormatException">There is no such spelling.</exception>
    public static FormatValue Parse(string spelling)
    {
        var names = spelling switch
        {
            "" or "CAMEL_STRING" => Camel,
            "SNAKE_STRING" => Snake,
            "NUMBER" => [],
            _ => throw new FormatException("the argument is CAMEL_STRING, SNAKE_STRING or NUMBER"),
        };
        return (in FormatContext c) => StatusOf(c) is not { } status ? null : status < names.Length ? names[status] : status.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The status of a gRPC request; <see langword="null"/> where there is none.</summary>
    public static uint? StatusOf(in FormatContext context)
        => context.Record is { IsGrpc: true, GrpcStatus: >= 0 and var known } ? (uint)known
            : context.RequestHeader(ContentType)?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true
                && uint.TryParse(context.ResponseTrailer(Status) ?? context.ResponseHeader(Status), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;
}
