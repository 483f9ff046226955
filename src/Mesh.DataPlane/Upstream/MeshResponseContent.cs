using System.Net;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The content of an upstream's response, which ends its exchange exactly once: at the last byte, on an error, or on dispose.</summary>
internal sealed class MeshResponseContent : HttpContent, RequestClock.IExpiring
{
    // How many hold on to the clock, below a bit that says that it has fired.
    private const int Expired = int.MinValue;
    private int _holders;
    private TimeoutCause _expired;
    private BodyEnd _end;
    private long _bytes;
    private bool _countsMessages;
    private GrpcMessageCount _messages;

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
    internal void EndExchange()
    {
        if (Interlocked.Exchange(ref _upstream, null) is { } upstream)
        {
            if (upstream.Record is { } record)
            {
                Tell(record, upstream.Clock);
            }

            upstream.End(reuseClock: Volatile.Read(ref _holders) == 0);
        }
    }

    /// <summary>So much has been read.</summary>
    internal void Count(ReadOnlySpan<byte> bytes)
    {
        _bytes += bytes.Length;
        if (_countsMessages)
        {
            _messages.Pass(bytes);
        }
    }

    /// <summary>All of it has been read.</summary>
    internal void Complete() => _end = BodyEnd.Complete;

    /// <summary>Reading it has failed; always <see langword="false"/>, to stand in an exception filter.</summary>
    internal bool Fail(Exception exception)
    {
        _end = LateFailures.EndOf(exception);
        return false;
    }

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
        // It is told twice when time is up just as it asks to be told, and the exchange may have ended by then.
        if (Clock?.Cause is { } cause and not TimeoutCause.None)
        {
            _expired = cause;
        }

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
            await _inner.CopyToAsync(Counted(TouchingStream.Over(stream, clock)), context, clock?.Token ?? cancellationToken).ConfigureAwait(false);
            CompleteCopy();
        }
        catch (Exception e) when (Fail(e))
        {
            throw;
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
            _inner.CopyTo(Counted(TouchingStream.Over(stream, Clock)), context, cancellationToken);
            CompleteCopy();
        }
        catch (Exception e)
        {
            Fail(e);
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

        CountMessages();

        // The framework's own contents have their stream at hand, and need no task to hand it out.
        if (_inner.GetType().Assembly == typeof(HttpContent).Assembly)
        {
            return Task.FromResult<Stream>(new MeshResponseStream(_inner.ReadAsStream(cancellationToken), this));
        }

        var opening = _inner.ReadAsStreamAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? Task.FromResult<Stream>(new MeshResponseStream(opening.Result, this)) : Open(opening);

        async Task<Stream> Open(Task<Stream> opening) => new MeshResponseStream(await opening.ConfigureAwait(false), this);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken)
    {
        ThrowIfExpired();
        CountMessages();
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

    /// <summary>Counts what is copied into a stream, where somebody wants to know and nobody has said how much it will be.</summary>
    internal Stream Counted(Stream destination)
        => Volatile.Read(ref _upstream) is { Record: not null } && (CountMessages() || Length is null) ? new CountingStream(destination, this) : destination;

    /// <summary>All of it has been copied.</summary>
    internal void CompleteCopy()
    {
        if (Volatile.Read(ref _upstream) is { Record: not null })
        {
            _bytes = Length ?? _bytes;
            _end = BodyEnd.Complete;
        }
    }

    // Somebody begins to read: whether there are messages is known by now.
    private bool CountMessages()
        => _countsMessages = Volatile.Read(ref _upstream) is { Record.IsGrpc: true }
            && Headers.NonValidated.TryGetValues("Content-Type", out var values) && LocalReplies.IsGrpc(values.ToString());

    // As it came: the header's own property would ask the content below, which may be disposed of, and keep what it has parsed.
    private long? Length
        => Headers.NonValidated.TryGetValues("Content-Length", out var values)
            && long.TryParse(values.ToString(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var length) ? length : null;

    private void Tell(RequestRecord record, RequestClock? clock)
    {
        record.ResponseBytes = _bytes;
        record.ResponseMessages = _messages.Messages;

        // Who was reading is told by the clock's token, and may come here before the clock itself does.
        var expired = _expired is TimeoutCause.None && _end != BodyEnd.Complete ? clock?.Cause ?? TimeoutCause.None : _expired;
        if (ResponseTimeouts.ReplyOf(expired) is { } late)
        {
            record.Flags = Joined(record.Flags, late.Flags);
            record.Details = late.Details;
            return;
        }

        if (_end == BodyEnd.Open && record.Status != (int)HttpStatusCode.SwitchingProtocols && Length != _bytes)
        {
            // Nobody wanted the rest.
            record.Flags = Joined(record.Flags, "DC");
            record.Details = LocalReply.CallerGone;
        }
        else if (LateFailures.Words(_end) is { } failure)
        {
            record.Flags = Joined(record.Flags, failure.Flag);
            record.Details = failure.Details;
        }
    }

    private static string Joined(string flags, string more) => flags.Length == 0 ? more : $"{flags},{more}";

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
