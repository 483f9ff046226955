namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>
/// A token bucket without lock or timer: it fills evenly, and its whole state is the moment at which it was empty. As in Envoy, "10 tokens every
/// second" are one every tenth of a second.
/// </summary>
internal sealed class TokenBucket
{
    // Keeps the arithmetic in 64 bits for 29 years of uptime; rates that reduce to more are rounded to some parts in a hundred thousand.
    private const long MaxUnitsPerTick = 1000;

    private readonly long _unitsPerTick;
    private readonly long _unitsPerToken;
    private readonly Int128 _capacity;
    private long _emptyAt = long.MinValue / 2;

    /// <param name="maxTokens">How many it holds, and begins with.</param>
    /// <param name="tokensPerFill">How many are added every <paramref name="fillInterval"/>.</param>
    /// <param name="fillInterval">The interval.</param>
    public TokenBucket(uint maxTokens, uint tokensPerFill, TimeSpan fillInterval)
    {
        (MaxTokens, TokensPerFill, FillInterval) = (maxTokens, tokensPerFill, fillInterval);
        var divisor = GreatestCommonDivisor(tokensPerFill, fillInterval.Ticks);
        _unitsPerTick = tokensPerFill / divisor;
        _unitsPerToken = fillInterval.Ticks / divisor;
        if (_unitsPerTick > MaxUnitsPerTick)
        {
            _unitsPerToken = Math.Max(1, (long)Math.Round((double)_unitsPerToken * MaxUnitsPerTick / _unitsPerTick));
            _unitsPerTick = MaxUnitsPerTick;
        }

        _capacity = (Int128)maxTokens * _unitsPerToken;
    }

    public uint MaxTokens { get; }

    public uint TokensPerFill { get; }

    public TimeSpan FillInterval { get; }

    public double TokensPerSecond => TokensPerFill / FillInterval.TotalSeconds;

    /// <summary>Takes tokens, all or none.</summary>
    public bool TryTake(TimeProvider time, ulong tokens = 1)
    {
        var now = Now(time);
        var price = (Int128)tokens * _unitsPerToken;
        var emptyAt = Volatile.Read(ref _emptyAt);
        while (true)
        {
            var credit = Credit(now, emptyAt);
            if (credit < price)
            {
                return false;
            }

            var seen = Interlocked.CompareExchange(ref _emptyAt, (long)(now - credit + price), emptyAt);
            if (seen == emptyAt)
            {
                return true;
            }

            emptyAt = seen;
        }
    }

    /// <summary>Whole tokens that are there.</summary>
    public long Remaining(TimeProvider time) => (long)(Credit(Now(time), Volatile.Read(ref _emptyAt)) / _unitsPerToken);

    /// <summary>How long until there is a token.</summary>
    public TimeSpan NextToken(TimeProvider time)
    {
        var missing = _unitsPerToken - Credit(Now(time), Volatile.Read(ref _emptyAt));
        return missing <= 0 ? TimeSpan.Zero : new TimeSpan((long)((missing + _unitsPerTick - 1) / _unitsPerTick));
    }

    private Int128 Credit(Int128 now, long emptyAt) => Int128.Clamp(now - emptyAt, 0, _capacity);

    private Int128 Now(TimeProvider time) => (Int128)time.GetElapsedTime(0).Ticks * _unitsPerTick;

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
