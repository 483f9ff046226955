namespace Mesh.ControlPlane.Model;

/// <summary>The status codes of gRPC by the names that rules call them.</summary>
internal static class GrpcStatus
{
    /// <summary>In the order of their numbers.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ];

    public static bool TryParse(string name, out uint status)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (Names[i] == name)
            {
                status = (uint)i;
                return true;
            }
        }

        status = 0;
        return false;
    }
}
