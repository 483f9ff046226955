using System.Buffers;
using System.Net.Sockets;

namespace Mesh.Client.DefaultProxy;

/// <summary>Carries the bytes of a connection both ways, whatever they are. Each end is told when the other has no more to say.</summary>
internal static class Tunnel
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Completes when both have said all.</summary>
    /// <exception cref="IOException">One of them broke.</exception>
    public static async Task RunAsync(ConnectionReader reader, Socket caller, Stream callerStream, Stream upstream, CancellationToken cancellationToken)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = CopyAsync(reader.ReadAsync, upstream, () => CompleteAsync(upstream, broken.Token), broken);
        var down = CopyAsync(upstream.ReadAsync, callerStream, () => ShutdownAsync(caller), broken);
        await Task.WhenAll(up, down).ConfigureAwait(false);
    }

    private static async Task CopyAsync(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read, Stream to, Func<ValueTask> complete, CancellationTokenSource broken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int count;
            while ((count = await read(buffer.AsMemory(0, BufferSize), broken.Token).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), broken.Token).ConfigureAwait(false);
                await to.FlushAsync(broken.Token).ConfigureAwait(false);
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

    // A stream of HTTP has no half: when the caller has gone, so has the stream.
    private static ValueTask CompleteAsync(Stream upstream, CancellationToken cancellationToken)
        => upstream is MeshStream connection ? connection.CompleteWritesAsync(cancellationToken) : upstream.DisposeAsync();

    private static ValueTask ShutdownAsync(Socket caller)
    {
        caller.Shutdown(SocketShutdown.Send);
        return ValueTask.CompletedTask;
    }
}
