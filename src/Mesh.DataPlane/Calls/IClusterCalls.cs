using Google.Protobuf;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Calls;

/// <summary>
/// How filters ask others: requests to a cluster by its name, which go the way of all requests (pick, identity, circuit breakers, retries, outlier
/// detection) and meet neither filters nor routes.
/// </summary>
internal interface IClusterCalls
{
    /// <summary>The lock of the configuration, under which clusters are taken up and let go.</summary>
    Lock Sync { get; }

    /// <summary>Sends a request and reads the response as a whole.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="request">The request; the host of its URI is the authority.</param>
    /// <param name="maxBytes">The longest response that is read.</param>
    /// <param name="cancellationToken">Nobody wants the answer any more.</param>
    /// <returns>The upstream's response, its body in memory.</returns>
    /// <exception cref="ClusterCallException">There is none: the cluster cannot be reached or does not answer in time, or the answer is too long.</exception>
    Task<HttpResponseMessage> SendAsync(ClusterTarget target, HttpRequestMessage request, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Makes a unary gRPC call.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="method">The method.</param>
    /// <param name="request">The message.</param>
    /// <param name="metadata">Headers beside those of gRPC; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Nobody wants the answer any more.</param>
    /// <exception cref="RpcException">The call failed, on the way or by the server's own status.</exception>
    Task<TResponse> UnaryAsync<TRequest, TResponse>(
        ClusterTarget target, GrpcMethod<TRequest, TResponse> method, TRequest request, GrpcMetadata? metadata, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>;

    /// <summary>Opens a gRPC call of a stream each way, that stays open as long as both ends want it: the target's timeout is not applied.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="method">The method.</param>
    /// <param name="metadata">Headers beside those of gRPC; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Nobody wants the call any more; of no account once it is open.</param>
    /// <exception cref="RpcException">It could not be opened.</exception>
    Task<GrpcDuplexCall<TRequest, TResponse>> OpenDuplexAsync<TRequest, TResponse>(
        ClusterTarget target, GrpcMethod<TRequest, TResponse> method, GrpcMetadata? metadata, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>;

    /// <summary>Keeps clusters subscribed. With the lock of the configuration held, as is <paramref name="answered"/> when it is called.</summary>
    /// <param name="clusters">Their names.</param>
    /// <param name="answered">Called when the last of them has been answered, or when the wait for it is over; not if that is so at once.</param>
    ClusterHold Hold(IReadOnlyCollection<string> clusters, Action answered);
}
