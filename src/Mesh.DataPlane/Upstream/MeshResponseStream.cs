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
            return EndAtZero(inner.Read(buffer), buffer.Length);
        }
        catch (Exception e)
        {
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
            owner.EndExchange();
            throw;
        }

        if (reading.IsCompletedSuccessfully)
        {
            return new ValueTask<int>(EndAtZero(reading.Result, buffer.Length));
        }

        return Await(reading, buffer.Length);
    }

    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        owner.ThrowIfExpired();
        owner.BeginUse();
        var clock = owner.Clock;
        var registration = clock?.CancelWith(cancellationToken) ?? default;
        try
        {
            await inner.CopyToAsync(TouchingStream.Over(destination, clock), bufferSize, clock?.Token ?? cancellationToken).ConfigureAwait(false);
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
            inner.CopyTo(TouchingStream.Over(destination, owner.Clock), bufferSize);
        }
        catch (Exception e)
        {
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
    private int EndAtZero(int read, int wanted)
    {
        if (read == 0 && wanted > 0)
        {
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
            return AwaitTimedAsync(reading, clock, default, buffer.Length, CancellationToken.None);
        }

        var read = reading.Result;
        clock?.Touch();
        owner.EndUse();
        return new ValueTask<int>(EndAtZero(read, buffer.Length));
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

        return AwaitTimedAsync(reading, clock, registration, buffer.Length, cancellationToken);
    }

    private async ValueTask<int> AwaitTimedAsync(
        ValueTask<int> reading, RequestClock? clock, CancellationTokenRegistration registration, int wanted, CancellationToken cancellationToken)
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
        return EndAtZero(read, wanted);
    }

    private async ValueTask<int> Await(ValueTask<int> reading, int wanted)
    {
        try
        {
            return EndAtZero(await reading.ConfigureAwait(false), wanted);
        }
        catch (Exception e)
        {
            LateFailures.Mark(e);
            owner.EndExchange();
            throw;
        }
    }
}
