using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>The least busy of a few hosts chosen at random (Envoy's <c>LEAST_REQUEST</c>, power of two choices), or of all.</summary>
/// <param name="ChoiceCount">How many are compared; Envoy's default is 2.</param>
/// <param name="ActiveRequestBias">How strongly activity counts against weight when weights differ; Envoy's default is 1, and 0 means round robin by weight.</param>
/// <param name="FullScan">Compare all hosts where weights do not differ (<c>FULL_SCAN</c>).</param>
internal sealed record LeastRequest(uint ChoiceCount = 2, double ActiveRequestBias = 1.0, bool FullScan = false) : WeightingPolicy
{
    // Each choice costs every request; so many compare as good as all hosts.
    private const uint MaxChoices = 1000;

    protected override HostPicker CreatePicker(Endpoint[] hosts, uint[] weights, HostGroupState state)
    {
        if (AreEqual(weights))
        {
            return FullScan ? new ScanningPicker(hosts) : new EqualPicker(new WeightedHosts(hosts, weights), Math.Clamp(ChoiceCount, 2, MaxChoices));
        }

        return ActiveRequestBias == 0
            ? RoundRobin.Create(hosts, weights, state)
            : new WeightedPicker(new WeightedHosts(hosts, weights), Math.Clamp(ChoiceCount, 2, MaxChoices), ActiveRequestBias);
    }

    private sealed class EqualPicker(WeightedHosts hosts, uint choices) : HostPicker
    {
        public override Endpoint Pick(in PickContext context)
        {
            var draw = context.Draw;
            var best = hosts.At(draw);
            for (var i = 1u; i < choices; i++)
            {
                draw = Draw.Next(draw);
                var other = hosts.At(draw);
                if (other.State.ActiveRequests < best.State.ActiveRequests)
                {
                    best = other;
                }
            }

            return best;
        }
    }

    private sealed class ScanningPicker(Endpoint[] hosts) : HostPicker
    {
        public override Endpoint Pick(in PickContext context)
        {
            var draw = context.Draw;
            var best = hosts[0];
            var least = best.State.ActiveRequests;
            var ties = 1UL;
            for (var i = 1; i < hosts.Length; i++)
            {
                var active = hosts[i].State.ActiveRequests;
                if (active < least)
                {
                    (best, least, ties) = (hosts[i], active, 1);
                }
                else if (active == least)
                {
                    // Each of n equals is the last to be taken with a chance of one in n.
                    draw = Draw.Next(draw);
                    if (Math.BigMul(draw, ++ties, out _) == 0)
                    {
                        best = hosts[i];
                    }
                }
            }

            return best;
        }
    }

    /// <summary>Envoy lowers a weight by its host's activity; drawing by weight and comparing active^bias / weight does so without a shared schedule.</summary>
    private sealed class WeightedPicker(WeightedHosts hosts, uint choices, double bias) : HostPicker
    {
        public override Endpoint Pick(in PickContext context)
        {
            var draw = context.Draw;
            var best = hosts.IndexAt(draw);
            var bestCost = Cost(best);
            for (var i = 1u; i < choices; i++)
            {
                draw = Draw.Next(draw);
                var other = hosts.IndexAt(draw);
                var cost = Cost(other);
                if (cost < bestCost)
                {
                    (best, bestCost) = (other, cost);
                }
            }

            return hosts[best];
        }

        private double Cost(int host)
        {
            var active = hosts[host].State.ActiveRequests;
            return (bias == 1.0 ? active : Math.Pow(active, bias)) / hosts.WeightOf(host);
        }
    }
}
