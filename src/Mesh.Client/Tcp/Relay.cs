using System.Buffers;
using System.Net.Sockets;

namespace Mesh.Client.Tcp;

/// <summary>Carries bytes both ways between a caller and a service: each end is told when the other has no more to say, and a broken one breaks the other.</summary>
internal sealed class Relay(Socket caller, MeshStream upstream)
{
    // What one direction holds of a connection at a time.
    private const int BufferSize = 16 * 1024;

    /// <summary>Completes when both ends have said all; the caller's socket stays the caller's to close.</summary>
    /// <exception cref="IOException">One of them broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var local = new NetworkStream(caller, ownsSocket: false);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var up = CopyAsync(local, upstream, () => upstream.CompleteWritesAsync(broken.Token), broken);
            var down = CopyAsync(upstream, local, CompleteCaller, broken);
            await Task.WhenAll(up, down).ConfigureAwait(false);
            await upstream.DisposeAsync().ConfigureAwait(false);
        }
        catch
        {
            // Neither may take what it has got for all there is.
            upstream.Abort();
            Reset(caller);
            throw;
        }
    }

    /// <summary>Closes a socket so that its other end sees that something was wrong.</summary>
    public static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        socket.Dispose();
    }

    private ValueTask CompleteCaller()
    {
        caller.Shutdown(SocketShutdown.Send);
        return ValueTask.CompletedTask;
    }

    private static async Task CopyAsync(Stream from, Stream to, Func<ValueTask> complete, CancellationTokenSource broken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer.AsMemory(0, BufferSize), broken.Token).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), broken.Token).ConfigureAwait(false);
            }

            await complete().ConfigureAwait(false);
        }
        catch
        {
            await broken.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
