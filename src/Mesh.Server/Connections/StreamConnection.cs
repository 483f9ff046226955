using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Mesh.Server.Connections;

/// <summary>
/// A connection whose bytes come by a stream: TLS right on the socket, with no pipe between. What comes is read ahead up to a bound, so that the end of
/// the connection is noticed while a request is being served; what goes is written as it is flushed.
/// </summary>
internal sealed class StreamConnection
    : ConnectionContext, IDuplexPipe, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature, IConnectionSocketFeature
{
    private const int ReadSize = 4096;

    // Whoever does not take our farewell goes without.
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closed = new();
    private readonly TimeProvider _time;
    private readonly Stream _stream;
    private readonly Pipe _input;
    private readonly TaskCompletionSource<bool>? _beginsAsHttp2;
    private Task _reading = Task.CompletedTask;
    private byte[]? _first;
    private int _firstLength;
    private string? _id;
    private IDictionary<object, object?>? _items;
    private Exception? _aborted;
    private volatile bool _isEnding;

    /// <param name="stream">The stream, which owns the socket.</param>
    /// <param name="socket">The socket below.</param>
    /// <param name="options">How far ahead is read.</param>
    /// <param name="detectsHttp2">Whether <see cref="BeginsAsHttp2"/> is wanted.</param>
    /// <param name="time">The clock that limits the farewell.</param>
    public StreamConnection(Stream stream, Socket socket, SocketTransportOptions options, bool detectsHttp2, TimeProvider time)
    {
        (_stream, Socket, _time) = (stream, socket, time);
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        if (detectsHttp2)
        {
            _beginsAsHttp2 = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _first = new byte[Http2Preface.Bytes.Length];
        }

        _input = new Pipe(new PipeOptions(
            readerScheduler: options.UnsafePreferInlineScheduling ? PipeScheduler.Inline : PipeScheduler.ThreadPool,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: options.MaxReadBufferSize ?? 0,
            resumeWriterThreshold: (options.MaxReadBufferSize ?? 0) / 2,
            minimumSegmentSize: ReadSize,
            useSynchronizationContext: false));
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: ReadSize, leaveOpen: true));
        Transport = this;
        Features = new FeatureCollection(initialCapacity: 16);
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
    }

    /// <summary>Whether the other side begins as HTTP/2 does; known when it has sent so much, or has ended.</summary>
    public Task<bool> BeginsAsHttp2 => _beginsAsHttp2?.Task ?? Task.FromResult(false);

    public Socket Socket { get; }

    public override IFeatureCollection Features { get; }

    public override string ConnectionId
    {
        get => _id ??= Guid.NewGuid().ToString("N");
        set => _id = value;
    }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public PipeReader Input => _input.Reader;

    public PipeWriter Output { get; }

    /// <summary>Begins to read.</summary>
    public void Start() => _reading = ReadAllAsync();

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (Interlocked.CompareExchange(ref _aborted, abortReason, null) is null)
        {
            // Ends the read that waits, and with it the connection.
            Socket.Close(0);
        }
    }

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override async ValueTask DisposeAsync()
    {
        _isEnding = true;
        try
        {
            await _input.Reader.CompleteAsync().ConfigureAwait(false);
            if (Volatile.Read(ref _aborted) is null)
            {
                await SayFarewellAsync().ConfigureAwait(false);
            }

            await _stream.DisposeAsync().ConfigureAwait(false);
            await _reading.ConfigureAwait(false);
        }
        finally
        {
            // One that was left to another thread may come too late, and whoever counts connections would never hear of the end.
            FireClosed();
            _closed.Dispose();
        }
    }

    private async Task SayFarewellAsync()
    {
        try
        {
            await Output.CompleteAsync().ConfigureAwait(false);
            if (_stream is SslStream tls)
            {
                // Without it the client could not tell the end of a response from an attacker's cut (RFC 8446, section 6.1).
                await tls.ShutdownAsync().WaitAsync(_farewell, _time).ConfigureAwait(false);
            }

            Socket.Shutdown(SocketShutdown.Both);

            // What is read ends with that; if the stream were closed under it, it would with an error, and errors are dear.
            await _reading.WaitAsync(_farewell, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or TimeoutException)
        {
            // The other side is gone.
        }
    }

    private async Task ReadAllAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                // An idle connection holds no buffer.
                await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                var memory = _input.Writer.GetMemory(ReadSize);
                var count = await _stream.ReadAsync(memory).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                if (_first is not null)
                {
                    Detect(memory.Span[..count]);
                }

                _input.Writer.Advance(count);
                var flushed = await _input.Writer.FlushAsync().ConfigureAwait(false);
                if (flushed.IsCompleted || flushed.IsCanceled)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            error = Volatile.Read(ref _aborted) ?? new ConnectionResetException(e.Message, e);
        }
        finally
        {
            await _input.Writer.CompleteAsync(error).ConfigureAwait(false);
            _beginsAsHttp2?.TrySetResult(false);

            // Whoever waits for it does not run here; and who ends the connection says so himself.
            if (!_isEnding)
            {
                ThreadPool.UnsafeQueueUserWorkItem(static self => self.FireClosed(), this, preferLocal: false);
            }
        }
    }

    private void FireClosed()
    {
        try
        {
            _closed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The server was done with it before.
        }
    }

    private void Detect(ReadOnlySpan<byte> read)
    {
        var count = Math.Min(read.Length, _first!.Length - _firstLength);
        read[..count].CopyTo(_first.AsSpan(_firstLength));
        _firstLength += count;
        if (Http2Preface.Check(_first.AsSpan(0, _firstLength)) is { } isHttp2)
        {
            _beginsAsHttp2!.TrySetResult(isHttp2);
            _first = null;
        }
    }
}
