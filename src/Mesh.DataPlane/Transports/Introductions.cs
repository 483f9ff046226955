using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Whether an endpoint is told who calls by its connections or by each request. The first handshake shows what the endpoint is able to. Once requests leave it
/// to their connections, no connection is used that has not said it, for a pool gives a request whichever is free.
/// </summary>
internal sealed class Introductions(OwnMetadata own)
{
    private const int Undecided = 0;
    private const int ByConnection = 1;
    private const int ByRequest = 2;

    private int _way;

    /// <summary>Whether requests need not say it: every connection that there is has said it, and every one that there will be.</summary>
    public bool AreByConnection => Volatile.Read(ref _way) == ByConnection;

    /// <summary>Says it on a new connection, where that has been agreed upon.</summary>
    /// <returns>Whether the connection can be used.</returns>
    public async ValueTask<bool> IntroduceAsync(TlsStream stream, CancellationToken cancellationToken)
    {
        if (!MeshAlpn.IsIntroduced(stream.NegotiatedApplicationProtocol.Protocol.Span))
        {
            return Interlocked.CompareExchange(ref _way, ByRequest, Undecided) != ByConnection;
        }

        try
        {
            await stream.IntroduceAsync(own.Introduction, cancellationToken).ConfigureAwait(false);
            Interlocked.CompareExchange(ref _way, ByConnection, Undecided);
        }
        catch (IOException)
        {
            // The endpoint has ended it, and may have said why: whoever is to read its answer will find out.
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return true;
    }
}
