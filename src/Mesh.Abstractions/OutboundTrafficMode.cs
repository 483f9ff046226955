namespace Mesh;

/// <summary>What happens to a host that the mesh does not know (Istio's <c>outboundTrafficPolicy.mode</c>).</summary>
public enum OutboundTrafficMode
{
    /// <summary>It passes through untouched, by the client's own primary handler (Istio's default).</summary>
    AllowAny,

    /// <summary>It is refused: a local 502 for plain HTTP, an <see cref="HttpRequestException"/> for <c>https</c>.</summary>
    RegistryOnly,
}
