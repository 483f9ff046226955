namespace Mesh;

/// <summary>How a caller gets to know that the mesh has answered in place of a service: <c>docs/failures.md</c> lists the causes.</summary>
public enum LocalReplyMode
{
    /// <summary>By a response, as behind a proxy: its status and body are Envoy's, <see cref="MeshRequest"/> tells the rest.</summary>
    Response,

    /// <summary>
    /// By an <see cref="HttpRequestException"/> with the status and, where .NET has a kind for the cause, its <see cref="HttpRequestException.HttpRequestError"/>;
    /// its <see cref="Exception.Data"/> has flags, details and attempts under the keys of <see cref="MeshRequest"/>. What a rule wants answered (a direct
    /// response, a redirect) stays a response, and so does what a gRPC caller gets, which finds its status there.
    /// </summary>
    Throw,
}
