using System.Net;
using System.Net.Http.Json;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Retry;

/// <summary>
/// A request's body where it has to be watched: when it has gone out, the clocks begin; and a body that can be read only once is copied, up to a
/// limit, while the first attempt sends it, so that another attempt has all of it. .NET's content pushes itself into a stream: an attempt that failed
/// half-way has consumed the source, and only a body that is complete here, or of which nothing was taken, can go out again.
/// </summary>
internal sealed class OutgoingBody : HttpContent
{
    /// <summary>What is kept of a body when the route does not say.</summary>
    public const uint DefaultLimit = 64 * 1024;

    private readonly Lock _sync = new();
    private readonly HttpContent _inner;
    private readonly bool _isRepeatable;
    private readonly bool _mayMirror;
    private readonly uint _limit;
    private readonly TimeProvider? _time;
    private readonly long? _length;
    private bool _countsMessages;
    private OutgoingBody? _origin;
    private GrpcMessageCount _messages;
    private MemoryStream? _copy;
    private Task? _sending;
    private RequestClock? _clock;
    private bool _started;
    private bool _complete;
    private bool _unwanted;

    private OutgoingBody(HttpContent inner, bool isRepeatable, uint limit, bool mayMirror = false, TimeProvider? time = null)
    {
        _time = time;
        _inner = inner;
        _isRepeatable = isRepeatable;
        _limit = limit;
        _mayMirror = mayMirror;

        // Computed here, so that the header is there to be copied.
        _length = inner.Headers.ContentLength;
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            if (values.Count == 1)
            {
                Headers.TryAddWithoutValidation(name, values.ToString());
            }
            else
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }
    }

    public HttpContent Inner => _inner;

    /// <summary>How much of it has gone out, the last time it was sent; where somebody counts.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many messages of a gRPC call have gone out, the last time it was sent; where somebody counts.</summary>
    public long Messages { get; private set; }

    /// <summary>A timestamp of when it had gone out; zero before, and where nobody asks.</summary>
    public long Ended { get; private set; }

    /// <summary>It has gone out.</summary>
    public bool IsComplete => Volatile.Read(ref _complete);

    /// <summary>
    /// The body on its way, where no response may be seen before it has ended: what the framework sends by itself it does not send beside a response,
    /// but this wrapper it takes for something that an application writes.
    /// </summary>
    public Task? Sending => Volatile.Read(ref _sending);

    /// <summary>The framework has stopped taking it, as when the upstream has reset the stream: what that throws looks like a caller's cancellation.</summary>
    public bool IsUnwanted => Volatile.Read(ref _unwanted);

    /// <summary>All of it can go out (again).</summary>
    public bool CanReplay
    {
        get
        {
            lock (_sync)
            {
                return _isRepeatable || !_started || (_complete && _copy is not null);
            }
        }
    }

    /// <summary>Puts itself in the place of the request's content if the content has to be watched.</summary>
    /// <param name="request">The request; the caller restores <see cref="Inner"/>.</param>
    /// <param name="mayReplay">Another attempt may need the body.</param>
    /// <param name="hasClock">A clock waits for its end.</param>
    /// <param name="limit">How much is kept at most, in bytes.</param>
    /// <param name="mayMirror">A mirror needs the body, after the caller may have disposed its own.</param>
    /// <param name="counter">Given when somebody wants to know its size and its end: their clock.</param>
    /// <param name="countsMessages">Whether it is the body of a gRPC call, whose messages are wanted as well.</param>
    public static OutgoingBody? Watch(HttpRequestMessage request, bool mayReplay, bool hasClock, uint? limit, bool mayMirror = false, TimeProvider? counter = null, bool countsMessages = false)
    {
        if (request.Content is not { } content)
        {
            return null;
        }

        var repeatable = IsRepeatable(content);
        var needed = (mayReplay && !repeatable) || (hasClock && !GoesOutAtOnce(content)) || mayMirror || (counter is not null && (countsMessages || !TellsLength(content)));
        if (!needed)
        {
            return null;
        }

        var body = new OutgoingBody(content, repeatable, mayReplay || mayMirror ? limit ?? DefaultLimit : 0, mayMirror, counter) { _countsMessages = countsMessages && counter is not null };
        request.Content = body;
        return body;
    }

    /// <summary>Whether a content that is not watched can go out more than once.</summary>
    public static bool IsRepeatable(HttpContent? content)
        => content is null or ByteArrayContent or ReadOnlyMemoryContent or JsonContent
            || (content is StreamContent stream && stream.ReadAsStream().CanSeek);

    /// <summary>A content that can go out more than once at the same time; <see langword="null"/> when there is none.</summary>
    public static HttpContent? Share(HttpContent content)
    {
        switch (content)
        {
            case ByteArrayContent or ReadOnlyMemoryContent or JsonContent:
                return new OutgoingBody(content, isRepeatable: true, limit: 0);
            case OutgoingBody { _inner: ByteArrayContent or ReadOnlyMemoryContent or JsonContent } body:
                return new OutgoingBody(body._inner, isRepeatable: true, limit: 0, time: body._time) { _countsMessages = body._countsMessages, _origin = body };
            case OutgoingBody body:
                lock (body._sync)
                {
                    return body is { _complete: true, _copy: { } copy } ? new OutgoingBody(Copy(copy, body), isRepeatable: true, limit: 0) : null;
                }

            default:
                return null;
        }
    }

    /// <summary>A copy of the body that outlives the caller's; <see langword="null"/> when not all of it was kept.</summary>
    public HttpContent? Snapshot()
    {
        lock (_sync)
        {
            if (this is { _complete: true, _copy: { } copy })
            {
                return Copy(copy, this);
            }

            // Attempts side by side have sent copies of their own.
            if (_inner is not (ByteArrayContent or ReadOnlyMemoryContent or JsonContent) || Headers.ContentLength is null || Headers.ContentLength > _limit)
            {
                return null;
            }
        }

        var now = new MemoryStream();
        _inner.CopyTo(now, null, CancellationToken.None);
        return Copy(now, this);
    }

    /// <summary>The clock whose deadlines begin when the body has gone out.</summary>
    public void Attach(RequestClock? clock)
    {
        lock (_sync)
        {
            _clock = clock;
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var sending = SendAsync(stream, context, cancellationToken);
        if (_inner is ByteArrayContent or ReadOnlyMemoryContent or StreamContent or MultipartContent)
        {
            Volatile.Write(ref _sending, sending);
        }

        return sending;
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (TakeCopy() is { } copy)
        {
            stream.Write(copy.Span);
        }
        else
        {
            _inner.CopyTo(Tee(stream), context, cancellationToken);
        }

        Complete();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _inner.Headers.ContentLength ?? 0;
        return _inner.Headers.ContentLength is not null;
    }

    // The inner content is the caller's, who may send it again: HttpClient disposes it when it is done.
    protected override void Dispose(bool disposing) => base.Dispose(disposing);

    // One that cannot be looked at any more fails where it is sent.
    private static bool TellsLength(HttpContent content)
    {
        try
        {
            return content is ByteArrayContent or ReadOnlyMemoryContent || content.Headers.ContentLength is not null;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    // Small enough to leave in one write, so that nothing needs to tell when it has.
    private static bool GoesOutAtOnce(HttpContent content)
        => content is ByteArrayContent or ReadOnlyMemoryContent or JsonContent && content.Headers.ContentLength is null or <= DefaultLimit;

    private static ByteArrayContent Copy(MemoryStream copy, OutgoingBody body)
    {
        var content = new ByteArrayContent(copy.GetBuffer(), 0, (int)copy.Length);
        foreach (var (name, values) in body.Headers.NonValidated)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        return content;
    }

    private async Task SendAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (TakeCopy() is { } copy)
        {
            await stream.WriteAsync(copy, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            try
            {
                await _inner.CopyToAsync(Tee(stream), context, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Volatile.Write(ref _unwanted, true);
                throw;
            }
        }

        Complete();
    }

    private ReadOnlyMemory<byte>? TakeCopy()
    {
        lock (_sync)
        {
            if (_isRepeatable || !_started)
            {
                _started = true;
                return null;
            }

            return _complete && _copy is { } copy
                ? new ReadOnlyMemory<byte>(copy.GetBuffer(), 0, (int)copy.Length)
                : throw new InvalidOperationException("The request's body has been consumed and was not kept; it cannot be sent again.");
        }
    }

    private Stream Tee(Stream stream)
    {
        var copies = (!_isRepeatable || _mayMirror) && _limit > 0 && !(Headers.ContentLength > _limit);
        var counts = _countsMessages || (_time is not null && _length is null);
        if (!copies && !counts && Volatile.Read(ref _clock) is not { HasIdle: true })
        {
            return stream;
        }

        _copy = copies ? new MemoryStream() : null;
        Bytes = 0;
        _messages = default;
        return new WatchedStream(stream, this);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        Bytes += bytes.Length;
        if (_countsMessages)
        {
            _messages.Pass(bytes);
            Messages = _messages.Messages;
        }

        lock (_sync)
        {
            _clock?.Touch();
        }

        if (_copy is { } copy)
        {
            if (copy.Length + bytes.Length > _limit)
            {
                lock (_sync)
                {
                    _copy = null;
                }
            }
            else
            {
                copy.Write(bytes);
            }
        }
    }

    private void Complete()
    {
        lock (_sync)
        {
            _complete = true;
            _clock?.StartPending();
            if (_time is not null)
            {
                Ended = _time.GetTimestamp();
                Bytes = _length ?? Math.Max(Bytes, _copy?.Length ?? 0);
                if (_origin is { } origin)
                {
                    (origin.Bytes, origin.Messages, origin.Ended) = (Bytes, Messages, Ended);
                }
            }
        }
    }

    /// <summary>Passes on what is written, keeps it, and lets the clock know.</summary>
    private sealed class WatchedStream(Stream inner, OutgoingBody owner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            owner.Pass(buffer);
            inner.Write(buffer);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            owner.Pass(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
