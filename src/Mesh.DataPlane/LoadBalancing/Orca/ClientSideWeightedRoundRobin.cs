using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing.Orca;

/// <summary>Each host in turn, in proportion to what its load reports say it can bear (gRFC A58; Envoy's <c>ClientSideWeightedRoundRobin</c>).</summary>
/// <param name="BlackoutPeriod">A host's reports count once it has reported for so long; 10 seconds by default.</param>
/// <param name="ExpirationPeriod">A weight counts for so long after the last report; 3 minutes by default.</param>
/// <param name="UpdatePeriod">How often weights are worked out; 1 second by default, at least 100 ms.</param>
/// <param name="ErrorPenalty">How much a share of errors counts as utilization; 1 by default.</param>
internal sealed record ClientSideWeightedRoundRobin(TimeSpan BlackoutPeriod, TimeSpan ExpirationPeriod, TimeSpan UpdatePeriod, double ErrorPenalty = 1.0) : LoadBalancingPolicy
{
    /// <summary>The metrics whose greatest value is the utilization; without any the application's own, then the processor's (gRFC A114).</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    public SlowStart? SlowStart { get; init; }

    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state)
    {
        foreach (var host in hosts)
        {
            // What a host has reported survives updates of its cluster, unless it is to be read differently now.
            if (host.State.ReportedWeight?.Policy.ReadsLike(this) != true)
            {
                host.State.ReportedWeight = new ReportedWeight(this, state.Time);
            }
        }

        return new ReweighedPicker(hosts, state, (weights, s) => RoundRobin.Create(hosts, weights, s), new ReportedWeights(this));
    }

    private bool ReadsLike(ClientSideWeightedRoundRobin other)
        => BlackoutPeriod == other.BlackoutPeriod && ExpirationPeriod == other.ExpirationPeriod && ErrorPenalty == other.ErrorPenalty && Metrics.SequenceEqual(other.Metrics);

    private sealed class ReportedWeights(ClientSideWeightedRoundRobin policy) : HostWeights
    {
        public override TimeSpan? Weigh(Endpoint[] hosts, TimeProvider time, long now, Span<double> weights)
        {
            var known = new List<double>();
            for (var i = 0; i < hosts.Length; i++)
            {
                weights[i] = hosts[i].State.ReportedWeight?.At(now) ?? 0;
                if (weights[i] > 0)
                {
                    known.Add(weights[i]);
                }
            }

            // Who has nothing to say stands in the middle.
            var median = Median(known);
            for (var i = 0; i < hosts.Length; i++)
            {
                var factor = policy.SlowStart is { } slow && hosts[i].State.HealthySince is { } since ? slow.Factor(time.GetElapsedTime(since, now)) : 1.0;
                weights[i] = (weights[i] > 0 ? weights[i] : median) * factor;
            }

            return policy.UpdatePeriod;
        }

        private static double Median(List<double> values)
        {
            if (values.Count == 0)
            {
                return 1;
            }

            values.Sort();
            var middle = values.Count / 2;
            return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
        }
    }
}
