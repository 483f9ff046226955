using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Each host in turn, in proportion to its weight (Envoy's <c>ROUND_ROBIN</c>).</summary>
internal sealed record RoundRobin : WeightingPolicy
{
    public static HostPicker Create(Endpoint[] hosts, uint[] weights, HostGroupState state)
        => AreEqual(weights) ? new EqualPicker(hosts, state) : new StridePicker(hosts, weights, state);

    protected override HostPicker CreatePicker(Endpoint[] hosts, uint[] weights, HostGroupState state) => Create(hosts, weights, state);

    private sealed class EqualPicker(Endpoint[] hosts, HostGroupState state) : HostPicker
    {
        public override Endpoint Pick(in PickContext context) => hosts[state.NextTurn() % (uint)hosts.Length];
    }

    /// <summary>
    /// Turns go round the hosts; a host skips the rounds that its weight does not earn it (the static-stride idea of gRFC A58). Over as many
    /// rounds as the greatest weight every host has exactly its share, and no schedule is shared that would need a lock.
    /// </summary>
    private sealed class StridePicker : HostPicker
    {
        private const uint MaxWeight = ushort.MaxValue;

        private readonly Endpoint[] _hosts;
        private readonly uint[] _weights;
        private readonly uint _greatest;
        private readonly HostGroupState _state;

        public StridePicker(Endpoint[] hosts, uint[] weights, HostGroupState state)
        {
            _hosts = hosts;
            _state = state;

            var divisor = weights.Aggregate(0u, GreatestCommonDivisor);
            var greatest = weights.Max() / divisor;
            _weights = [.. weights.Select(w => Scale(w / divisor, greatest))];
            _greatest = _weights.Max();
        }

        public override Endpoint Pick(in PickContext context)
        {
            while (true)
            {
                var turn = _state.NextTurn();
                var host = turn % (uint)_hosts.Length;
                var round = turn / (uint)_hosts.Length;

                // Offsetting the hosts against each other keeps light ones from all taking the same round.
                var offset = host * (_greatest / (uint)_hosts.Length);
                if ((((ulong)_weights[host] * round) + offset) % _greatest >= _greatest - _weights[host])
                {
                    return _hosts[host];
                }
            }
        }

        private static uint Scale(uint weight, uint greatest)
            => greatest <= MaxWeight ? weight : Math.Max(1, (uint)Math.Round(weight * (double)MaxWeight / greatest));

        private static uint GreatestCommonDivisor(uint a, uint b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
    }
}
