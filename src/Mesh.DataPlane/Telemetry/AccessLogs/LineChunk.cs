namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// Lines, one after the other, that many threads add to without a lock: each reserves its place, and copies its bytes there. Once it is sealed no line
/// comes to it, and it can be read as soon as those who have a place are done.
/// </summary>
internal sealed class LineChunk(int capacity)
{
    // How many bytes a line has at the least, on the average, for a chunk to become full by its bytes.
    private const int LeastLine = 32;

    private const long Sealed = 1L << 63;

    private readonly byte[] _bytes = new byte[capacity];
    private readonly int[] _ends = new int[(capacity + LeastLine - 1) / LeastLine];

    // The lines that have a place above, their bytes below; and the mark of a chunk that takes no more.
    private long _reserved;
    private int _copied;

    /// <summary>A chunk that has never taken a line and never will.</summary>
    public static LineChunk None { get; } = Ended();

    public int Capacity => _bytes.Length;

    public int Lines => (int)((Volatile.Read(ref _reserved) & ~Sealed) >> 32);

    public int Length => (int)Volatile.Read(ref _reserved);

    /// <summary>The lines. Of a chunk that <see cref="Seal"/> and <see cref="Settle"/> have been called of.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

    /// <summary>Where each line ends.</summary>
    public ReadOnlyMemory<int> Ends => _ends.AsMemory(0, Lines);

    /// <summary>Adds a line, unless there is no place for it.</summary>
    /// <param name="line">The line.</param>
    /// <param name="most">How many bytes the chunk may have with it.</param>
    public LinePlace TryAdd(ReadOnlySpan<byte> line, long most)
    {
        var reserved = Volatile.Read(ref _reserved);
        while (true)
        {
            var (at, lines) = ((int)reserved, (int)(reserved >> 32));
            if (reserved < 0 || line.Length > _bytes.Length - at || lines == _ends.Length)
            {
                return LinePlace.Full;
            }

            if (at + line.Length > most)
            {
                return LinePlace.None;
            }

            var seen = Interlocked.CompareExchange(ref _reserved, reserved + (1L << 32) + line.Length, reserved);
            if (seen == reserved)
            {
                line.CopyTo(_bytes.AsSpan(at));
                _ends[lines] = at + line.Length;
                Interlocked.Increment(ref _copied);
                return LinePlace.Taken;
            }

            reserved = seen;
        }
    }

    /// <summary>From here on it takes no line.</summary>
    public void Seal() => Interlocked.Or(ref _reserved, Sealed);

    /// <summary>Waits for those who have a place and are copying still: that is a matter of nanoseconds.</summary>
    public void Settle()
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref _copied) != Lines)
        {
            spin.SpinOnce();
        }
    }

    /// <summary>Empty again. Whoever still knows it from before may add to it, and does so in its turn.</summary>
    public void Reset()
    {
        Volatile.Write(ref _copied, 0);
        Volatile.Write(ref _reserved, 0);
    }

    private static LineChunk Ended()
    {
        var chunk = new LineChunk(0);
        chunk.Seal();
        return chunk;
    }
}
