using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Http;

/// <summary>
/// The way of the application's response body where some filter may want to read it, to change it, or to answer in its place. Nothing of it is sent
/// before the filters have seen the headers.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="reply">Whether there is an answer in place of the application's, and its body.</param>
internal sealed class InterceptedBody(HttpContext context, Func<(bool IsThere, ReadOnlyMemory<byte> Body)> reply) : Stream, IHttpResponseBodyFeature
{
    private readonly IHttpResponseBodyFeature _inner = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(Func<Stream, Stream> Transform, Action Ended)> _transforms = [];
    private PipeWriter? _writer;
    private Task? _start;
    private TaskCompletionSource<ReadOnlyMemory<byte>?>? _buffered;
    private MemoryStream? _buffer;
    private int _maxBuffered;
    private bool _isSettled;
    private bool _isReplaced;
    private Pipe? _pipe;
    private Task? _pump;

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A filter wants the whole body: until it has it the application writes to memory.</summary>
    /// <returns><see langword="null"/> when it is longer.</returns>
    public async ValueTask<ReadOnlyMemory<byte>?> BufferAsync(int maxBytes)
    {
        _maxBuffered = maxBytes;
        _buffer ??= new MemoryStream();
        _buffered ??= new TaskCompletionSource<ReadOnlyMemory<byte>?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked.TrySetResult();
        return await _buffered.Task.ConfigureAwait(false) is { } body && body.Length <= maxBytes ? body : (ReadOnlyMemory<byte>?)null;
    }

    /// <summary>Lets the body run through a stream.</summary>
    public void Transform(Func<Stream, Stream> transform, Action ended) => _transforms.Add((transform, ended));

    /// <summary>The application is done, or has failed.</summary>
    public async ValueTask EndAsync(Exception? failure)
    {
        if (failure is not null)
        {
            if (_start is { IsCompleted: false })
            {
                // Some filter waits for a body that will never be whole.
                _buffered?.TrySetException(new IOException("The application has failed in the middle of its response.", failure));
                await SettleAsync().ConfigureAwait(false);
            }

            await AbandonAsync().ConfigureAwait(false);
            return;
        }

        if (_writer is not null)
        {
            await _writer.FlushAsync().ConfigureAwait(false);
        }

        if (_start is null && !context.Response.HasStarted && IsEmpty(context))
        {
            // Said here, since whoever starts a response before its end does not know how long it is.
            context.Response.ContentLength ??= 0;
        }

        _start ??= _inner.StartAsync();
        if (await Task.WhenAny(_start, _asked.Task).ConfigureAwait(false) == _asked.Task && !_start.IsCompleted)
        {
            _buffered!.TrySetResult(_buffer!.GetBuffer().AsMemory(0, (int)_buffer.Length));
        }

        await SettleAsync().ConfigureAwait(false);
        if (_pipe is not null)
        {
            await _pipe.Writer.CompleteAsync().ConfigureAwait(false);
            await _pump!.ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await BeginAsync().ConfigureAwait(false);
        if (!_isSettled)
        {
            _buffer!.Write(buffer.Span);
            if (_buffer.Length > _maxBuffered)
            {
                // The filter that wanted it all says now what becomes of it.
                _buffered!.TrySetResult(null);
                await _start!.ConfigureAwait(false);
                await SettleAsync().ConfigureAwait(false);
            }
        }
        else if (_isReplaced)
        {
            return;
        }
        else if (_pipe is not null)
        {
            await _pipe.Writer.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await _inner.Stream.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        // What the server says of its own stream (AllowSynchronousIO) holds for this one.
        if (context.Features.Get<IHttpBodyControlFeature>() is { AllowSynchronousIO: false })
        {
            throw new InvalidOperationException("Synchronous operations are disallowed. Call WriteAsync or set AllowSynchronousIO to true instead.");
        }

        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await BeginAsync().ConfigureAwait(false);
        if (_isSettled && !_isReplaced && _pipe is null)
        {
            await _inner.Stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Flush()
    {
    }

    public async Task StartAsync(CancellationToken cancellationToken = default) => await BeginAsync().ConfigureAwait(false);

    public void DisableBuffering() => _inner.DisableBuffering();

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        await BeginAsync().ConfigureAwait(false);
        if (_isSettled && !_isReplaced && _pipe is null)
        {
            await _inner.SendFileAsync(path, offset, count, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task CompleteAsync()
    {
        await EndAsync(null).ConfigureAwait(false);
        await _inner.CompleteAsync().ConfigureAwait(false);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Nothing was written: no length is its length, unless the response is one that has none.
    private static bool IsEmpty(HttpContext context)
        => !HttpMethods.IsHead(context.Request.Method)
            && context.Response.StatusCode is >= 200 and not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified)
            && context.Response.Headers.TransferEncoding.Count == 0;

    // The headers go by the filters; they are waited for unless one of them waits for the body.
    private async ValueTask BeginAsync()
    {
        if (_isSettled)
        {
            return;
        }

        _start ??= _inner.StartAsync();
        if (!_start.IsCompleted)
        {
            await Task.WhenAny(_start, _asked.Task).ConfigureAwait(false);
        }

        if (_start.IsCompleted)
        {
            await SettleAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask SettleAsync()
    {
        if (_isSettled || _start is null)
        {
            return;
        }

        await _start.ConfigureAwait(false);
        _isSettled = true;
        var (isReplaced, body) = reply();
        if (isReplaced)
        {
            _isReplaced = true;
            foreach (var (_, ended) in _transforms)
            {
                ended();
            }

            if (body.Length > 0 && !HttpMethods.IsHead(context.Request.Method))
            {
                await _inner.Stream.WriteAsync(body).ConfigureAwait(false);
            }

            return;
        }

        if (_transforms.Count > 0)
        {
            _pipe = new Pipe();
            _pump = PumpAsync(_pipe.Reader.AsStream());
        }

        if (_buffer is { Length: > 0 } kept)
        {
            var bytes = kept.GetBuffer().AsMemory(0, (int)kept.Length);
            if (_pipe is not null)
            {
                await _pipe.Writer.WriteAsync(bytes).ConfigureAwait(false);
            }
            else
            {
                await _inner.Stream.WriteAsync(bytes).ConfigureAwait(false);
            }
        }
    }

    private async Task PumpAsync(Stream source)
    {
        try
        {
            var body = source;
            foreach (var (transform, _) in _transforms)
            {
                body = transform(body);
            }

            await using (body.ConfigureAwait(false))
            {
                var chunk = new byte[16 * 1024];
                for (int read; (read = await body.ReadAsync(chunk, context.RequestAborted).ConfigureAwait(false)) > 0;)
                {
                    await _inner.Stream.WriteAsync(chunk.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
                    await _inner.Stream.FlushAsync(context.RequestAborted).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await _pipe!.Reader.CompleteAsync().ConfigureAwait(false);
            foreach (var (_, ended) in _transforms)
            {
                ended();
            }
        }
    }

    private async ValueTask AbandonAsync()
    {
        if (_pipe is not null)
        {
            // The body ends early, and the connection with it.
            await _pipe.Writer.CompleteAsync(new IOException("The application has failed in the middle of its response.")).ConfigureAwait(false);
            try
            {
                await _pump!.ConfigureAwait(false);
            }
            catch (IOException)
            {
                // That is what was said.
            }
        }
    }
}
