namespace Mesh.DataPlane.OutlierDetection;

/// <summary>A cluster's counters (Envoy's <c>outlier_detection.*</c>).</summary>
internal sealed class OutlierStatistics
{
    private readonly long[] _detected = new long[Enum.GetValues<EjectionReason>().Length];
    private readonly long[] _enforced = new long[Enum.GetValues<EjectionReason>().Length];
    private long _overflow;

    /// <summary><c>ejections_enforced_total</c>.</summary>
    public long EnforcedTotal => _enforced.Sum();

    /// <summary><c>ejections_overflow</c>: outliers that stayed because of <c>max_ejection_percent</c>.</summary>
    public long Overflow => Volatile.Read(ref _overflow);

    /// <summary><c>ejections_detected_…</c>: enforced or not.</summary>
    public long Detected(EjectionReason reason) => Volatile.Read(ref _detected[(int)reason]);

    /// <summary><c>ejections_enforced_…</c>.</summary>
    public long Enforced(EjectionReason reason) => Volatile.Read(ref _enforced[(int)reason]);

    public void AddDetected(EjectionReason reason) => Interlocked.Increment(ref _detected[(int)reason]);

    public void AddEnforced(EjectionReason reason) => Interlocked.Increment(ref _enforced[(int)reason]);

    public void AddOverflow() => Interlocked.Increment(ref _overflow);
}
