using System.Buffers;
using System.Net;

namespace Mesh.Client.DefaultProxy;

/// <summary>A request's body on its way through: read from the caller as it is sent on, once.</summary>
internal sealed class ForwardedContent(RequestBodyStream body, long? length, Func<ValueTask>? sendContinue) : HttpContent
{
    private const int BufferSize = 16 * 1024;

    private int _taken;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await TakeAsync().ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int read;
            while ((read = await body.ReadAsync(buffer.AsMemory(0, BufferSize), cancellationToken).ConfigureAwait(false)) > 0)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);

                // Whoever streams waits for an answer to what has been sent so far.
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            body.IsTaken = false;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
    {
        await TakeAsync().ConfigureAwait(false);
        return body;
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }

    private ValueTask TakeAsync()
    {
        if (Interlocked.Exchange(ref _taken, 1) != 0)
        {
            throw new InvalidOperationException("The body of the request has been sent already.");
        }

        body.IsTaken = true;
        return sendContinue?.Invoke() ?? ValueTask.CompletedTask;
    }
}
