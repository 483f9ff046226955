using System.Net.Http.Headers;

namespace Mesh.DataPlane.LoadBalancing.Orca;

/// <summary>The weight that an endpoint's load reports come to, and since when it is known. Written as responses arrive, read when weights are worked out.</summary>
internal sealed class ReportedWeight(ClientSideWeightedRoundRobin policy, TimeProvider time)
{
    private const long Never = long.MinValue;

    private double _weight;
    private long _knownSince = Never;
    private long _updated = Never;

    /// <summary>Whose settings the reports are read by.</summary>
    public ClientSideWeightedRoundRobin Policy { get; } = policy;

    /// <summary>Takes note of a response's report, if it has one.</summary>
    /// <param name="headers">The response's headers, or its trailers, where gRPC has it.</param>
    public void Observe(HttpHeaders headers)
    {
        if (OrcaReportReader.Read(headers) is { } report && OrcaUtilization.Weight(report, Policy.Metrics, Policy.ErrorPenalty) is { } weight)
        {
            var now = time.GetTimestamp();
            Interlocked.CompareExchange(ref _knownSince, now, Never);
            Volatile.Write(ref _weight, weight);
            Volatile.Write(ref _updated, now);
        }
    }

    /// <summary>The weight, once it has been known for the blackout period and while it is fresh.</summary>
    public double? At(long now)
    {
        var (updated, since) = (Volatile.Read(ref _updated), Volatile.Read(ref _knownSince));
        if (updated == Never || since == Never)
        {
            return null;
        }

        if (time.GetElapsedTime(updated, now) >= Policy.ExpirationPeriod)
        {
            // What comes after a silence has to prove itself again.
            Volatile.Write(ref _knownSince, Never);
            return null;
        }

        return time.GetElapsedTime(since, now) < Policy.BlackoutPeriod ? null : Volatile.Read(ref _weight);
    }
}
