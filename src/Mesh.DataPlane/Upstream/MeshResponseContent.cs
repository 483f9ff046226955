using System.Net;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The content of an upstream's response, which ends its exchange exactly once: at the last byte, on an error, or on dispose.</summary>
internal sealed class MeshResponseContent : HttpContent, RequestClock.IExpiring
{
    private int _reading;
    private TimeoutCause _expired;

    private readonly HttpContent _inner;
    private UpstreamRequest? _upstream;

    public MeshResponseContent(HttpContent inner, UpstreamRequest upstream)
    {
        _inner = inner;
        _upstream = upstream;
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

    /// <summary>The clock that the rest of the response has to keep; <see langword="null"/> when there is none, and after the end.</summary>
    internal RequestClock? Clock => Volatile.Read(ref _upstream)?.Clock;

    /// <summary>The attempt is over; a clock that somebody is still looking at is not used again.</summary>
    internal void EndExchange() => Interlocked.Exchange(ref _upstream, null)?.End(reuseClock: Volatile.Read(ref _reading) == 0);

    /// <exception cref="HttpIOException">Time was up before anybody read on.</exception>
    internal void ThrowIfExpired()
    {
        if (_expired != TimeoutCause.None && ResponseTimeouts.Explain(_expired) is { } exception)
        {
            throw exception;
        }
    }

    /// <summary>Between the two a reader holds on to <see cref="Clock"/>.</summary>
    internal void BeginRead() => Interlocked.Increment(ref _reading);

    internal void EndRead() => Interlocked.Decrement(ref _reading);

    // Envoy resets the stream. Who is reading is told by the clock's token, who is not by what the next read throws.
    void RequestClock.IExpiring.OnExpired()
    {
        _expired = Clock?.Cause ?? TimeoutCause.None;
        _inner.Dispose();
        EndExchange();
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ThrowIfExpired();
        BeginRead();
        var clock = Clock;
        var registration = clock?.CancelWith(cancellationToken) ?? default;
        try
        {
            await _inner.CopyToAsync(stream, context, clock?.Token ?? cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ResponseTimeouts.Explain(e, clock, cancellationToken) is { } explained)
        {
            throw explained;
        }
        finally
        {
            registration.Unregister();
            EndRead();
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
