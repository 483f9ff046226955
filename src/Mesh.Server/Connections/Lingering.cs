using System.Buffers;
using System.Net.Sockets;

namespace Mesh.Server.Connections;

/// <summary>How connections end that are not let in.</summary>
internal static class Lingering
{
    private const int MaxLength = 64 * 1024;

    private static readonly TimeSpan _time = TimeSpan.FromSeconds(1);

    /// <summary>Ends a connection at once.</summary>
    public static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (SocketException)
        {
            // It is gone already.
        }

        socket.Dispose();
    }

    /// <summary>
    /// Reads what still comes, within bounds and as long as the port is open: it would turn the end into a reset, which overtakes what the framework may have
    /// had to say of the reason.
    /// </summary>
    public static async ValueTask WaitAsync(Socket socket, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(_time, clock, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            for (var left = MaxLength; left > 0;)
            {
                var count = await socket.ReceiveAsync(buffer, SocketFlags.None, deadline.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                left -= count;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It was more than the client had to be given.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
