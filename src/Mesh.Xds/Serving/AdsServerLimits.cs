namespace Mesh.Xds.Serving;

/// <summary>What one connection may make the server hold. A connection that asks for more is ended with <c>RESOURCE_EXHAUSTED</c>.</summary>
internal sealed record AdsServerLimits
{
    /// <summary>Names subscribed to, all kinds together.</summary>
    /// <value>The default value is 100,000.</value>
    public int MaxSubscribedNames { get; init; } = 100_000;

    /// <summary>Characters of all subscribed names together.</summary>
    /// <value>The default value is 16,777,216.</value>
    public long MaxSubscribedCharacters { get; init; } = 16 * 1024 * 1024;

    /// <summary>Serialized size of one request, in bytes.</summary>
    /// <value>The default value is 16,777,216.</value>
    public int MaxRequestBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Resource bytes after which an incremental response is cut; the rest follows in the next response of that kind.</summary>
    /// <value>The default value is 2,097,152: gRPC clients refuse messages above 4 MiB unless told otherwise.</value>
    public int MaxDeltaResponseBytes { get; init; } = 2 * 1024 * 1024;
}
