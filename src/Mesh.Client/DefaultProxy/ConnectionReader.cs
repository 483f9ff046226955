namespace Mesh.Client.DefaultProxy;

/// <summary>
/// Reads a connection through a buffer. While a request is answered it may read ahead, so that it is seen when the caller leaves; whoever reads next
/// waits for that first.
/// </summary>
internal sealed class ConnectionReader(Stream stream)
{
    private const int InitialSize = 4 * 1024;

    private byte[] _buffer = new byte[InitialSize];
    private int _start;
    private int _end;
    private Task<bool>? _ahead;

    /// <summary>What has been read and not been taken.</summary>
    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    public void Advance(int count) => _start += count;

    /// <summary>Reads more into the buffer, which grows as it must.</summary>
    /// <returns><see langword="false"/> at the end of the connection.</returns>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ahead is { } ahead)
        {
            _ahead = null;
            return await ahead.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return await ReadMoreAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads what comes next while somebody else is at work, and tells if nothing can come any more. Nothing happens when something is there already.</summary>
    public void ReadAhead(Action left, CancellationToken cancellationToken)
    {
        if (_ahead is null && _start == _end)
        {
            _ahead = ReadAheadAsync(left, cancellationToken);
        }
    }

    /// <summary>Takes bytes: what is buffered, else straight from the connection.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_start == _end && _ahead is not null && !await FillAsync(cancellationToken).ConfigureAwait(false))
        {
            return 0;
        }

        if (_start == _end)
        {
            return await stream.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        }

        var count = Math.Min(destination.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }

    private async Task<bool> ReadAheadAsync(Action left, CancellationToken cancellationToken)
    {
        var more = false;
        try
        {
            more = await ReadMoreAsync(cancellationToken).ConfigureAwait(false);
            return more;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            if (!more)
            {
                left();
            }
        }
    }

    private async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length && _start > 0)
        {
            Buffered.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }
}
