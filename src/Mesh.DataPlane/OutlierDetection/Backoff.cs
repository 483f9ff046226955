namespace Mesh.DataPlane.OutlierDetection;

/// <summary>The multiplier of the base ejection time: one more for each time, one less for each interval that passes in good health.</summary>
internal sealed class Backoff
{
    private long _since;
    private long? _ended;
    private TimeSpan _jitter;

    public uint Multiplier { get; private set; }

    /// <returns>How long it lasts.</returns>
    public TimeSpan Begin(OutlierDetectionPolicy policy, long now, TimeSpan jitter)
    {
        _since = now;
        _jitter = jitter;

        // It stops growing where the maximum cuts it off, so that it does not take for ever to shrink again.
        if (policy.BaseEjectionTime * Multiplier < policy.MaxEjectionTime + policy.BaseEjectionTime)
        {
            Multiplier++;
        }

        return policy.EjectionTime(Multiplier) + jitter;
    }

    public bool IsOver(OutlierDetectionPolicy policy, TimeProvider time, long now)
        => policy.EjectionTime(Multiplier) + _jitter <= time.GetElapsedTime(_since, now);

    public void End(long now) => _ended = now;

    public void Decay(OutlierDetectionPolicy policy, TimeProvider time, long now)
    {
        if (Multiplier > 0 && _ended is { } ended && time.GetElapsedTime(ended, now) >= policy.Interval)
        {
            Multiplier--;
        }
    }
}
