namespace Mesh.Xds.Grpc;

/// <summary>What one call adds to its channel's settings.</summary>
/// <param name="Timeout">How long the whole call may take; sent as <c>grpc-timeout</c> and enforced here. <see langword="null"/>: no limit.</param>
/// <param name="Metadata">Custom headers.</param>
internal sealed record GrpcCallOptions(TimeSpan? Timeout = null, GrpcMetadata? Metadata = null)
{
    public static GrpcCallOptions Default { get; } = new();
}
