namespace Mesh;

/// <summary>What the mesh tells of a request, in <see cref="HttpRequestMessage.Options"/>, once it has been sent; and what it may be told before.</summary>
public static class MeshRequest
{
    /// <summary>
    /// For whom the application sends the request: the address that a hash policy <c>source_ip</c> (Istio's <c>useSourceIp</c>) goes by. Without
    /// it the address is this process's own, as it is behind a sidecar; a gateway sets its client's.
    /// </summary>
    public static HttpRequestOptionsKey<System.Net.IPAddress> SourceAddress { get; } = new("mesh.source_address");

    /// <summary>How many attempts were made upstream; absent when the first succeeded, and when none was made.</summary>
    public static HttpRequestOptionsKey<int> Attempts { get; } = new("mesh.attempts");

    /// <summary>Envoy's response flags of a reply that the mesh made itself: <c>NR</c>, <c>UH</c>, <c>UF</c>, <c>UC</c>, <c>NC</c> ….</summary>
    public static HttpRequestOptionsKey<string> ResponseFlags { get; } = new("mesh.response_flags");

    /// <summary>Envoy's response-code details of a reply that the mesh made itself: <c>route_not_found</c>, <c>no_healthy_upstream</c> ….</summary>
    public static HttpRequestOptionsKey<string> ResponseCodeDetails { get; } = new("mesh.response_code_details");

    /// <summary>Why the mesh refused a request to a host outside of it, in words: Istio's reply to it has an empty body.</summary>
    public static HttpRequestOptionsKey<string> RefusalReason { get; } = new("mesh.refusal_reason");
}
