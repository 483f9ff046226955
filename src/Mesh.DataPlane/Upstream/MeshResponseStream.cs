using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The body of an upstream's response; writable where the transport's is, as after <c>101 Switching Protocols</c>.</summary>
internal sealed class MeshResponseStream(Stream inner, MeshResponseContent owner) : Stream
{
    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override bool CanTimeout => inner.CanTimeout;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int ReadTimeout
    {
        get => inner.ReadTimeout;
        set => inner.ReadTimeout = value;
    }

    public override int WriteTimeout
    {
        get => inner.WriteTimeout;
        set => inner.WriteTimeout = value;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        owner.ThrowIfExpired();
        try
        {
            return EndAtZero(inner.Read(buffer), buffer);
        }
        catch (Exception e)
        {
            owner.Fail(e);
            owner.EndExchange();
            owner.ThrowIfExpired(e);
            LateFailures.Mark(e);
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        owner.ThrowIfExpired();
        if (owner.Clock is not null)
        {
            return cancellationToken.CanBeCanceled ? AwaitTimedAsync(buffer, cancellationToken) : ReadTimedAsync(buffer);
        }

        ValueTask<int> reading;
        try
        {
            reading = inner.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e)
        {
            LateFailures.Mark(e);
            owner.Fail(e);
            owner.EndExchange();
            throw;
        }

        if (reading.IsCompletedSuccessfully)
        {
            return new ValueTask<int>(EndAtZero(reading.Result, buffer.Span));
        }

        return Await(reading, buffer);
    }

    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        owner.ThrowIfExpired();
        owner.BeginUse();
        var clock = owner.Clock;
        var registration = clock?.CancelWith(cancellationToken) ?? default;
        try
        {
            await inner.CopyToAsync(owner.Counted(TouchingStream.Over(destination, clock)), bufferSize, clock?.Token ?? cancellationToken).ConfigureAwait(false);
            owner.CompleteCopy();
        }
        catch (Exception e) when (owner.Fail(e))
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
            owner.EndUse();
            owner.EndExchange();
        }
    }

    public override void CopyTo(Stream destination, int bufferSize)
    {
        owner.ThrowIfExpired();
        try
        {
            inner.CopyTo(owner.Counted(TouchingStream.Over(destination, owner.Clock)), bufferSize);
            owner.CompleteCopy();
        }
        catch (Exception e)
        {
            owner.Fail(e);
            owner.ThrowIfExpired(e);
            LateFailures.MarkCopy(e);
            throw;
        }
        finally
        {
            owner.EndExchange();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        owner.Touch();
        inner.Write(buffer);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        owner.Touch();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await inner.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            owner.EndExchange();
        }

        GC.SuppressFinalize(this);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            try
            {
                inner.Dispose();
            }
            finally
            {
                owner.EndExchange();
            }
        }

        base.Dispose(disposing);
    }

    // An empty buffer only asks whether there is data: zero is not the end then.
    private int EndAtZero(int read, ReadOnlySpan<byte> buffer)
    {
        if (read > 0)
        {
            owner.Count(buffer[..read]);
        }
        else if (!buffer.IsEmpty)
        {
            owner.Complete();
            owner.EndExchange();
        }

        return read;
    }

    // Mostly the bytes are there already: no frame, no registration.
    private ValueTask<int> ReadTimedAsync(Memory<byte> buffer)
    {
        owner.BeginUse();
        var clock = owner.Clock;
        ValueTask<int> reading;
        try
        {
            reading = inner.ReadAsync(buffer, clock?.Token ?? CancellationToken.None);
        }
        catch (Exception e)
        {
            reading = ValueTask.FromException<int>(e);
        }

        if (!reading.IsCompletedSuccessfully)
        {
            return AwaitTimedAsync(reading, clock, default, buffer, CancellationToken.None);
        }

        var read = reading.Result;
        clock?.Touch();
        owner.EndUse();
        return new ValueTask<int>(EndAtZero(read, buffer.Span));
    }

    // The clock's token ends the read; the reader's own is tied to it for as long.
    private ValueTask<int> AwaitTimedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        owner.BeginUse();
        var clock = owner.Clock;
        var registration = clock?.CancelWith(cancellationToken) ?? default;
        ValueTask<int> reading;
        try
        {
            reading = inner.ReadAsync(buffer, clock?.Token ?? cancellationToken);
        }
        catch (Exception e)
        {
            reading = ValueTask.FromException<int>(e);
        }

        return AwaitTimedAsync(reading, clock, registration, buffer, cancellationToken);
    }

    private async ValueTask<int> AwaitTimedAsync(
        ValueTask<int> reading, RequestClock? clock, CancellationTokenRegistration registration, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await reading.ConfigureAwait(false);
            clock?.Touch();
            clock?.Release(registration);
        }
        catch (Exception e)
        {
            clock?.Release(registration);
            var explained = ResponseTimeouts.Explain(e, clock, cancellationToken);
            owner.Fail(e);
            owner.EndUse();
            owner.EndExchange();
            if (explained is not null)
            {
                throw explained;
            }

            LateFailures.Mark(e);
            throw;
        }

        owner.EndUse();
        return EndAtZero(read, buffer.Span);
    }

    private async ValueTask<int> Await(ValueTask<int> reading, Memory<byte> buffer)
    {
        try
        {
            return EndAtZero(await reading.ConfigureAwait(false), buffer.Span);
        }
        catch (Exception e)
        {
            LateFailures.Mark(e);
            owner.Fail(e);
            owner.EndExchange();
            throw;
        }
    }
}
