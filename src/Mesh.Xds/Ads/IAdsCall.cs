namespace Mesh.Xds.Ads;

/// <summary>One bidirectional stream seen from one of its ends: write <typeparamref name="TOut"/>, read <typeparamref name="TIn"/>.</summary>
/// <remarks>One writer and one reader at a time; disposing it ends the stream (on the client's end: cancels the call).</remarks>
internal interface IAdsCall<TOut, TIn> : IAsyncDisposable
    where TIn : class
{
    /// <summary>Writes one message; completes when the peer's flow control has taken it.</summary>
    /// <exception cref="Grpc.RpcException">The stream is broken.</exception>
    ValueTask WriteAsync(TOut message, CancellationToken cancellationToken);

    /// <summary>Reads the next message, or <see langword="null"/> when the peer ended the stream with status OK.</summary>
    /// <exception cref="Grpc.RpcException">The stream ended with another status.</exception>
    ValueTask<TIn?> ReadAsync(CancellationToken cancellationToken);
}
