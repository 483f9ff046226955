using System.IO.Pipelines;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Telemetry;

/// <summary>
/// The way of a response's body to the server, which counts it. One a request: an application that writes when its request is over must not get
/// into another's response.
/// </summary>
internal sealed class CountedResponseBody(HttpContext context, RequestRecord record, CountedRequestBody? request) : Stream, IHttpResponseBodyFeature
{
    private readonly IHttpResponseBodyFeature _inner = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private CountedWriter? _writer;
    private bool _ended;
    private bool? _hasMessages = record.IsGrpc ? null : false;
    private GrpcMessageCount _messages;

    public HttpContext Context => context;

    public RequestRecord Record => record;

    public long Bytes { get; private set; }

    /// <summary>How many messages a gRPC call has been answered with.</summary>
    public long Messages => _messages.Messages;

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= new CountedWriter(_inner.Writer, this);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override bool CanTimeout => _inner.Stream.CanTimeout;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The request is over: its record is another's from now on.</summary>
    public void End()
    {
        _ended = true;
        request?.End();
    }

    public void DisableBuffering() => _inner.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Count(0);
        return _inner.StartAsync(cancellationToken);
    }

    public Task CompleteAsync()
    {
        Count(0);
        return _inner.CompleteAsync();
    }

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        await _inner.SendFileAsync(path, offset, count, cancellationToken).ConfigureAwait(false);
        Count(count ?? (new FileInfo(path).Length - offset));
    }

    public override void Flush()
    {
        Count(0);
        _inner.Stream.Flush();
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        Count(0);
        return _inner.Stream.FlushAsync(cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        Count(buffer.AsSpan(offset, count));
        _inner.Stream.Write(buffer, offset, count);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Count(buffer);
        _inner.Stream.Write(buffer);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Count(buffer.AsSpan(offset, count));
        return _inner.Stream.WriteAsync(buffer, offset, count, cancellationToken);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Count(buffer.Span);
        return _inner.Stream.WriteAsync(buffer, cancellationToken);
    }

    // With the first byte it is known what they are.
    private bool HasMessages => _hasMessages ??= LocalReplies.IsGrpc(context.Response.ContentType);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // With whatever goes out first the response has begun.
    private void Count(long bytes)
    {
        Bytes += bytes;
        if (!_ended && record.ResponseBegan == 0)
        {
            record.ResponseBegan = record.Time.GetTimestamp();
        }
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        Look(bytes);
    }

    private void Look(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && HasMessages)
        {
            _messages.Pass(bytes);
        }
    }

    private sealed class CountedWriter(PipeWriter inner, CountedResponseBody owner) : PipeWriter
    {
        private Memory<byte> _memory;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            owner.Count(bytes);
            if (owner._hasMessages != false)
            {
                owner.Look(_memory.Span[..bytes]);
                _memory = _memory[bytes..];
            }

            inner.Advance(bytes);
        }

        // What is written into it is looked at when it is said how much.
        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => owner._hasMessages == false ? inner.GetSpan(sizeHint) : GetMemory(sizeHint).Span;

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            owner.Count(source.Span);
            return inner.WriteAsync(source, cancellationToken);
        }
    }
}
