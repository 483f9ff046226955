using System.Net;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// A connection whose filter chain depends on what the caller sends first, as its TLS says whom it is for. What is written is kept, up to a bound, until
/// that is known; then the connection is made, and everything goes through. Who reads before waits, as behind a proxy that inspects.
/// </summary>
internal sealed class InspectedStream : MeshStream
{
    private readonly TcpListenerResource _listener;
    private readonly TcpFacts _facts;
    private readonly Func<TcpFacts, CancellationToken, ValueTask<MeshStream>> _connect;
    private readonly TaskCompletionSource<MeshStream> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closed = new();
    private readonly SemaphoreSlim _deciding = new(1, 1);
    private readonly ITimer? _timeout;
    private byte[] _kept = [];
    private int _length;
    private MeshStream? _inner;

    /// <param name="listener">How long and how far to look.</param>
    /// <param name="facts">What is known without looking.</param>
    /// <param name="connect">Makes the connection by all that is known.</param>
    /// <param name="time">The clock of the time limit.</param>
    public InspectedStream(TcpListenerResource listener, TcpFacts facts, Func<TcpFacts, CancellationToken, ValueTask<MeshStream>> connect, TimeProvider time)
    {
        (_listener, _facts, _connect) = (listener, facts, connect);

        // Nobody may ever wait for it.
        _ = _connected.Task.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (listener.Inspection.Timeout != Timeout.InfiniteTimeSpan)
        {
            _timeout = time.CreateTimer(static s => _ = ((InspectedStream)s!).EndInspectionAsync(), this, listener.Inspection.Timeout, Timeout.InfiniteTimeSpan);
        }
    }

    public override EndPoint? RemoteEndPoint => Volatile.Read(ref _inner)?.RemoteEndPoint;

    public override bool CanRead => !_closed.IsCancellationRequested;

    public override bool CanWrite => !_closed.IsCancellationRequested;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var inner = Volatile.Read(ref _inner) ?? await _connected.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
        => (Volatile.Read(ref _inner) ?? _connected.Task.GetAwaiter().GetResult()).Read(buffer, offset, count);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Volatile.Read(ref _inner) is not { } inner)
        {
            await _deciding.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (_inner is null)
                {
                    Keep(buffer.Span);
                    await DecideAsync(hasEnded: false, cancellationToken).ConfigureAwait(false);
                    return;
                }
            }
            finally
            {
                _deciding.Release();
            }

            inner = _inner;
        }

        await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    // Stream's own would let only one of reading and writing be under way.
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state)
        => TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override void Flush() => Volatile.Read(ref _inner)?.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => Volatile.Read(ref _inner)?.FlushAsync(cancellationToken) ?? Task.CompletedTask;

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        await _deciding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_inner is null)
            {
                await DecideAsync(hasEnded: true, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _deciding.Release();
        }

        await _inner!.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
    }

    internal override void Abort()
    {
        Volatile.Read(ref _inner)?.Abort();
        Dispose();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _closed.Cancel();
            _timeout?.Dispose();
            _connected.TrySetException(new ObjectDisposedException(nameof(MeshStream)));
            Volatile.Read(ref _inner)?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        ThrowIfUnusable();
        if (_kept.Length < _length + bytes.Length)
        {
            Array.Resize(ref _kept, Math.Max(_length + bytes.Length, Math.Min(2 * _kept.Length, _listener.Inspection.MaxClientHello)));
        }

        bytes.CopyTo(_kept.AsSpan(_length));
        _length += bytes.Length;
    }

    // With the turn taken.
    private async ValueTask DecideAsync(bool hasEnded, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        var outcome = ClientHello.Read(_kept.AsSpan(0, _length), _listener.Inspection.MaxClientHello, out var hello);
        if (outcome == ClientHello.Outcome.Incomplete && !hasEnded)
        {
            return;
        }

        try
        {
            if (outcome == ClientHello.Outcome.Invalid && _listener.Inspection.ClosesOnInvalidClientHello)
            {
                throw new IOException($"The connection to {_facts} was closed: it began like TLS, and its ClientHello breaks the rules.");
            }

            await ConnectAsync(_facts with { Tls = hello }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _connected.TrySetException(e as ObjectDisposedException ?? (e is IOException ? e : new IOException(e.Message, e)));
            if (e is System.Net.Sockets.SocketException)
            {
                // Whoever writes to a stream expects what streams throw.
                throw new IOException(e.Message, e);
            }

            throw;
        }
    }

    private async ValueTask ConnectAsync(TcpFacts known, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        MeshStream inner;
        try
        {
            inner = await _connect(known, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(MeshStream));
        }

        try
        {
            await inner.WriteAsync(_kept.AsMemory(0, _length), either.Token).ConfigureAwait(false);
        }
        catch
        {
            await inner.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _kept = [];
        _timeout?.Dispose();
        Volatile.Write(ref _inner, inner);
        if (!_connected.TrySetResult(inner))
        {
            // Disposed meanwhile, and by then there was nothing to dispose.
            await inner.DisposeAsync().ConfigureAwait(false);
            throw new ObjectDisposedException(nameof(MeshStream));
        }
    }

    private async Task EndInspectionAsync()
    {
        await _deciding.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_inner is not null || _connected.Task.IsCompleted)
            {
                return;
            }

            if (_listener.Inspection.ContinuesAfterTimeout)
            {
                await DecideAsync(hasEnded: true, CancellationToken.None).ConfigureAwait(false);
            }
            else
            {
                _connected.TrySetException(new IOException(
                    $"The connection to {_facts} was closed: what it is for could not be told from its first bytes within {_listener.Inspection.Timeout} (listener_filters_timeout)."));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Told to whoever reads or writes next.
        }
        finally
        {
            _deciding.Release();
        }
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
        if (_connected.Task.Exception?.InnerException is { } failure)
        {
            throw new IOException(failure.Message, failure);
        }
    }
}
