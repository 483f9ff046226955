namespace Mesh.Xds.Serving;

/// <summary>A subscription in the messages of one variant of the protocol.</summary>
internal abstract class AdsSubscription<TRequest, TResponse>(string typeUrl, SubscribedNames budget) : AdsSubscription(typeUrl, budget)
    where TRequest : class
    where TResponse : class
{
    /// <summary>Takes over what the request subscribes to.</summary>
    /// <returns>Whether the request has to be answered.</returns>
    /// <exception cref="Grpc.RpcException">The connection subscribes to more than it may.</exception>
    public abstract bool Apply(TRequest request, bool isFirst);

    /// <summary>Makes the next response, and takes for granted that it will be sent.</summary>
    /// <param name="view">The node's view.</param>
    /// <param name="holdRemovals">Other kinds still name what is to be removed: removals have to wait.</param>
    /// <param name="nonce">The nonce of the response.</param>
    /// <returns><see langword="null"/> when there is nothing to send.</returns>
    public abstract TResponse? NextResponse(IAdsNodeView view, bool holdRemovals, string nonce);
}
