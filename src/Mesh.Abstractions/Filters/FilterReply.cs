namespace Mesh.Filters;

/// <summary>An answer that a filter gives in place of the upstream (Envoy's local reply).</summary>
/// <param name="Status">The HTTP status, 200 to 599. A gRPC caller gets Envoy's translation of it, unless <see cref="GrpcStatus"/> is set.</param>
public sealed record FilterReply(int Status)
{
    /// <summary>The body, as <c>text/plain</c>; for a gRPC caller it becomes the message of the status.</summary>
    /// <value>The default value is empty.</value>
    public string Body { get; init; } = "";

    /// <summary>Why, for logs and <c>MeshRequest.ResponseCodeDetails</c>: a word such as <c>local_rate_limited</c>.</summary>
    /// <value>The default value is <c>filter_reply</c>.</value>
    public string Details { get; init; } = "filter_reply";

    /// <summary>Envoy's response flags for it: <c>RL</c>, <c>FI</c>, <c>UAEX</c> …; empty where none fits.</summary>
    public string Flags { get; init; } = "";

    /// <summary>Headers beside those that the body needs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The gRPC status for gRPC callers, in place of the translation of <see cref="Status"/>.</summary>
    public int? GrpcStatus { get; init; }

    /// <summary>What a client that wants exceptions is told of its kind.</summary>
    internal HttpRequestError Error { get; init; }
}
