using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// What the caller has of a connection: reads and writes are the socket's own, counted, and after the connection was closed they say why. A stream that its
/// owner has lost gives back what the connection holds when it is collected.
/// </summary>
internal sealed class TcpStream(TcpConnection connection) : MeshStream
{
    private bool _hasEnded;
    private bool _hasCompleted;

    ~TcpStream()
    {
        // Closing takes locks and may throw: nothing for the finalizer's thread.
        ThreadPool.UnsafeQueueUserWorkItem(static lost => lost.Close(TcpCloseReason.Disposed), connection, preferLocal: false);
    }

    public override EndPoint? RemoteEndPoint => connection.RemoteEndPoint;

    public override bool CanRead => connection.ClosedBy != TcpCloseReason.Disposed;

    public override bool CanWrite => connection.ClosedBy != TcpCloseReason.Disposed;

    public override bool CanSeek => false;

    public override bool CanTimeout => connection.Inner.CanTimeout;

    public override int ReadTimeout
    {
        get => connection.Inner.ReadTimeout;
        set => connection.Inner.ReadTimeout = value;
    }

    public override int WriteTimeout
    {
        get => connection.Inner.WriteTimeout;
        set => connection.Inner.WriteTimeout = value;
    }

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_hasEnded)
        {
            return 0;
        }

        try
        {
            return Read(connection.Inner.Read(buffer), buffer.Length);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_hasEnded)
        {
            return 0;
        }

        try
        {
            return Read(await connection.Inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), buffer.Length);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ThrowIfCompleted();
        try
        {
            connection.Inner.Write(buffer);
            connection.Sent(buffer.Length);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        try
        {
            await connection.Inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            connection.Sent(buffer.Length);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Stream's own would let only one of reading and writing be under way.
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override void Flush()
    {
        try
        {
            connection.Inner.Flush();
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.Inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }
    }

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_hasCompleted)
        {
            return;
        }

        _hasCompleted = true;
        try
        {
            switch (connection.Inner)
            {
                case NetworkStream plain:
                    plain.Socket.Shutdown(SocketShutdown.Send);
                    break;
                case SslStream secure:
                    await secure.ShutdownAsync().ConfigureAwait(false);
                    break;
                case MeshStream other:
                    await other.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new NotSupportedException($"A {connection.Inner.GetType().Name} cannot be closed for writing alone.");
            }
        }
        catch (SocketException e)
        {
            throw Failure(new IOException(e.Message, e));
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw Failure(e);
        }

        connection.EndWriting();
        GC.KeepAlive(this);
    }

    internal override void Abort()
    {
        connection.Abort();
        Dispose();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            connection.Close(TcpCloseReason.Disposed);
            GC.SuppressFinalize(this);
        }

        base.Dispose(disposing);
    }

    // A read that timed out by the stream's own setting leaves the socket as it is: it is the caller's to decide.
    private static bool IsFailure(Exception e)
        => e is ObjectDisposedException || (e is IOException && e.InnerException is not SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock });

    private int Read(int bytes, int wanted)
    {
        if (bytes > 0)
        {
            connection.Received(bytes);
        }
        else if (wanted > 0)
        {
            // A socket that is closed here while it is read from reports an end like the other side's.
            if (connection.ClosedBy is not (TcpCloseReason.None or TcpCloseReason.Completed))
            {
                throw new IOException("The connection was closed while it was read from.");
            }

            _hasEnded = true;
            connection.EndReading();
        }

        // Whoever reads on a stream that nobody refers to any more still has his bytes first.
        GC.KeepAlive(this);
        return bytes;
    }

    private Exception Failure(Exception e) => connection.Failure(e);

    private void ThrowIfCompleted()
    {
        if (_hasCompleted)
        {
            throw new InvalidOperationException("The stream has been completed for writing.");
        }
    }
}
