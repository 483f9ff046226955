namespace Mesh.DataPlane.Retry;

/// <summary>Envoy's exponential back-off with full jitter: before retry n any time below base × 2^(n-1), at most <see cref="Max"/>.</summary>
internal sealed record BackOff(TimeSpan Base, TimeSpan Max)
{
    /// <summary>Envoy's: 25 ms, and ten times that.</summary>
    public static BackOff Default { get; } = new(TimeSpan.FromMilliseconds(25), TimeSpan.FromMilliseconds(250));

    /// <param name="retry">Which retry it is before, from 1.</param>
    /// <param name="draw">A uniform random number.</param>
    public TimeSpan Before(uint retry, ulong draw)
    {
        var interval = Base.Ticks;
        for (var i = 1u; i < retry && interval < Max.Ticks; i++)
        {
            interval *= 2;
        }

        return TimeSpan.FromTicks((long)Math.BigMul(draw, (ulong)Math.Min(interval, Max.Ticks), out _));
    }
}
