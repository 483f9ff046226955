using System.Net;

namespace Mesh;

/// <summary>
/// A connection that the mesh has made: what <see cref="Stream"/> cannot say of one. The streams that <c>IMeshConnector</c> returns are of this kind.
/// Reading and writing at the same time is allowed, one of each.
/// </summary>
public abstract class MeshStream : Stream
{
    /// <summary>Where the connection leads; <see langword="null"/> while it is not made yet because the first bytes that are written decide.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>
    /// Tells the other end that nothing more will be written (TCP's half-close). Reading goes on until the other end has done the same; the stream
    /// still has to be disposed.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">The connection is broken.</exception>
    public abstract ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default);

    /// <summary>Closes the connection so that the other end cannot take it for complete: by a reset, where there is one.</summary>
    internal abstract void Abort();
}
