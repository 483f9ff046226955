using System.Net;
using System.Net.Http.Headers;

namespace Mesh.Xds.Grpc;

/// <summary>A request body that stays open: it hands its stream to the call and ends when the call says so.</summary>
internal sealed class GrpcRequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GrpcRequestContent() => Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaderNames.ContentType);

    /// <summary>The body's stream, once the HTTP/2 stream exists.</summary>
    public Task<Stream> Opened => _opened.Task;

    /// <summary>Ends the body (END_STREAM).</summary>
    public void Complete() => _completed.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _opened.TrySetResult(stream);

        // Cancelled when either end gives up the call; returning normally instead would end the body with END_STREAM where a reset belongs.
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), _completed);
        await _completed.Task;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
