using System.Net;

namespace Mesh.DataPlane.Upstream;

/// <summary>The content of an upstream's response, which ends its exchange exactly once: at the last byte, on an error, or on dispose.</summary>
internal sealed class MeshResponseContent : HttpContent
{
    private readonly HttpContent _inner;
    private UpstreamRequest? _exchange;

    public MeshResponseContent(HttpContent inner, UpstreamRequest exchange)
    {
        _inner = inner;
        _exchange = exchange;
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

    internal void EndExchange() => Interlocked.Exchange(ref _exchange, null)?.End();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await _inner.CopyToAsync(stream, context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndExchange();
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            _inner.CopyTo(stream, context, cancellationToken);
        }
        finally
        {
            EndExchange();
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
    {
        var opening = _inner.ReadAsStreamAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? Task.FromResult<Stream>(new MeshResponseStream(opening.Result, this)) : Open(opening);

        async Task<Stream> Open(Task<Stream> opening) => new MeshResponseStream(await opening.ConfigureAwait(false), this);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken)
        => new MeshResponseStream(_inner.ReadAsStream(cancellationToken), this);

    protected override bool TryComputeLength(out long length)
    {
        length = _inner.Headers.ContentLength ?? 0;
        return _inner.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            try
            {
                _inner.Dispose();
            }
            finally
            {
                EndExchange();
            }
        }

        base.Dispose(disposing);
    }
}
