namespace Mesh.DataPlane.Routing;

/// <summary>
/// What a route does to a request beside choosing its cluster: each member belongs to one feature, compiled when the resource is decoded, and is
/// <see langword="null"/> where the route does not use the feature. Equal policies of a virtual host are one object.
/// </summary>
internal sealed record RoutePolicy
{
    /// <summary>Nothing beside the cluster.</summary>
    public static RoutePolicy None { get; } = new();

    /// <summary>How many bytes of a request's body are kept for another attempt or a mirror (Envoy's <c>per_request_buffer_limit_bytes</c>).</summary>
    public uint? BufferLimit { get; init; }
}
