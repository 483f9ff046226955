using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>The least busy of a few hosts chosen at random (Envoy's <c>LEAST_REQUEST</c>, power of two choices).</summary>
/// <param name="ChoiceCount">How many are compared; Envoy's default is 2.</param>
/// <param name="ActiveRequestBias">How strongly activity counts against weight when weights differ; Envoy's default is 1.</param>
internal sealed record LeastRequest(uint ChoiceCount = 2, double ActiveRequestBias = 1.0) : LoadBalancingPolicy
{
    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state)
        => EquallyWeighted(hosts)
            ? new EqualPicker(new WeightedHosts(hosts), Math.Max(2, ChoiceCount))
            : new WeightedPicker(new WeightedHosts(hosts), Math.Max(2, ChoiceCount), ActiveRequestBias);

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

    /// <summary>Envoy lowers a weight by its host's activity; drawing by weight and comparing active^bias / weight does so without a shared schedule.</summary>
    private sealed class WeightedPicker(WeightedHosts hosts, uint choices, double bias) : HostPicker
    {
        public override Endpoint Pick(in PickContext context)
        {
            var draw = context.Draw;
            var best = hosts.At(draw);
            for (var i = 1u; i < choices; i++)
            {
                draw = Draw.Next(draw);
                var other = hosts.At(draw);
                if (Cost(other) < Cost(best))
                {
                    best = other;
                }
            }

            return best;
        }

        private double Cost(Endpoint host)
        {
            var active = host.State.ActiveRequests;
            return (bias == 1.0 ? active : Math.Pow(active, bias)) / host.Resource.Weight;
        }
    }
}
