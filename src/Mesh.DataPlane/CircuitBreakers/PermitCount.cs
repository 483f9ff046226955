namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>Requests, and the connections that those of HTTP/1.1 hold, counted as one value so that both are seen and changed at once.</summary>
internal struct PermitCount
{
    private const long Request = 1;
    private const long Connection = 1L << 32;

    private long _value;

    public readonly Snapshot Current => new(Volatile.Read(in _value));

    /// <summary>Counts one more without asking.</summary>
    public Snapshot Add(bool multiplexed) => new(Interlocked.Add(ref _value, UnitOf(multiplexed)));

    public void Remove(bool multiplexed) => Interlocked.Add(ref _value, -UnitOf(multiplexed));

    /// <summary>Counts one more if nothing has changed since <paramref name="seen"/>.</summary>
    public bool TryAdd(Snapshot seen, bool multiplexed) => Interlocked.CompareExchange(ref _value, seen.Value + UnitOf(multiplexed), seen.Value) == seen.Value;

    private static long UnitOf(bool multiplexed) => multiplexed ? Request : Connection + Request;

    /// <summary>Counts one more connection, without a request, without asking.</summary>
    public Snapshot AddConnection() => new(Interlocked.Add(ref _value, Connection));

    public void RemoveConnection() => Interlocked.Add(ref _value, -Connection);

    /// <summary>Counts one more connection, without a request, if nothing has changed since <paramref name="seen"/>.</summary>
    public bool TryAddConnection(Snapshot seen) => Interlocked.CompareExchange(ref _value, seen.Value + Connection, seen.Value) == seen.Value;

    /// <summary>Both numbers at one moment.</summary>
    internal readonly struct Snapshot(long value)
    {
        public long Value { get; } = value;

        public uint Requests => (uint)Value;

        public uint Connections => (uint)(Value >> 32);
    }
}
