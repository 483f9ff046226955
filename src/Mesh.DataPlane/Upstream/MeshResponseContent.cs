using System.Net;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The content of an upstream's response, which ends its exchange exactly once: at the last byte, on an error, or on dispose.</summary>
internal sealed class MeshResponseContent : HttpContent, RequestClock.IExpiring
{
    // How many hold on to the clock, below a bit that says that it has fired.
    private const int Expired = int.MinValue;
    private int _holders;
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
    internal RequestClock? Clock
    {
        get
        {
            var upstream = Volatile.Read(ref _upstream);
            var clock = upstream?.Clock;
            Volatile.ReadBarrier();

            // What has ended in between belongs to another request by now, and so does its clock.
            return ReferenceEquals(Volatile.Read(ref _upstream), upstream) ? clock : null;
        }
    }

    /// <summary>The attempt is over; a clock that somebody is still looking at is not used again.</summary>
    internal void EndExchange() => Interlocked.Exchange(ref _upstream, null)?.End(reuseClock: Volatile.Read(ref _holders) == 0);

    /// <exception cref="HttpIOException">Time was up before anybody read on, or while somebody read who cannot be told by a token.</exception>
    internal void ThrowIfExpired(Exception? failure = null)
    {
        if (_expired != TimeoutCause.None && ResponseTimeouts.Explain(_expired, failure) is { } exception)
        {
            throw exception;
        }
    }

    /// <summary>Between the two somebody holds on to <see cref="Clock"/>, and nobody takes the stream away.</summary>
    /// <exception cref="HttpIOException">Time was up before.</exception>
    internal void BeginUse()
    {
        if (Interlocked.Increment(ref _holders) < 0)
        {
            EndUse();
            ThrowIfExpired();
            Interlocked.Increment(ref _holders);
        }
    }

    internal void EndUse()
    {
        if (Interlocked.Decrement(ref _holders) == Expired)
        {
            Abandon();
        }
    }

    /// <summary>The caller has sent something.</summary>
    /// <exception cref="HttpIOException">Time was up before.</exception>
    internal void Touch()
    {
        if (Clock is not null)
        {
            BeginUse();
            Clock?.Touch();
            EndUse();
        }
    }

    // Envoy resets the stream. Who is reading is told by the clock's token, and gives up the stream: a stream of HTTP/1.1 must not be disposed
    // below a read, because it drains itself. Who is not reading is told by what the next read throws.
    void RequestClock.IExpiring.OnExpired()
    {
        _expired = Clock?.Cause ?? TimeoutCause.None;
        if (Interlocked.Or(ref _holders, Expired) == 0)
        {
            Abandon();
        }
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ThrowIfExpired();
        BeginUse();
        var clock = Clock;
        var registration = clock?.CancelWith(cancellationToken) ?? default;
        try
        {
            await _inner.CopyToAsync(TouchingStream.Over(stream, clock), context, clock?.Token ?? cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ResponseTimeouts.Explain(e, clock, cancellationToken) is { } explained)
        {
            throw explained;
        }
        catch (Exception e) when (LateFailures.MarkCopy(e))
        {
            throw;
        }
        finally
        {
            clock?.Release(registration);
            EndUse();
            EndExchange();
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ThrowIfExpired();
        try
        {
            _inner.CopyTo(TouchingStream.Over(stream, Clock), context, cancellationToken);
        }
        catch (Exception e)
        {
            ThrowIfExpired(e);
            LateFailures.MarkCopy(e);
            throw;
        }
        finally
        {
            EndExchange();
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken)
    {
        // Time may have been up before anybody opened it: what is below has been disposed of.
        if (_expired != TimeoutCause.None && ResponseTimeouts.Explain(_expired) is { } expired)
        {
            return Task.FromException<Stream>(expired);
        }

        var opening = _inner.ReadAsStreamAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? Task.FromResult<Stream>(new MeshResponseStream(opening.Result, this)) : Open(opening);

        async Task<Stream> Open(Task<Stream> opening) => new MeshResponseStream(await opening.ConfigureAwait(false), this);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken)
    {
        ThrowIfExpired();
        return new MeshResponseStream(_inner.ReadAsStream(cancellationToken), this);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _inner.Headers.ContentLength ?? 0;
        return _inner.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Abandon();
        }

        base.Dispose(disposing);
    }

    private void Abandon()
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
}
