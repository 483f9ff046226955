using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Each host in turn, in proportion to its weight (Envoy's <c>ROUND_ROBIN</c>).</summary>
internal sealed record RoundRobin : WeightingPolicy
{
    // A stride passes over every host but the heaviest in the worst case, each for an interlocked turn: with ten thousand hosts that is a stall.
    private const int MostHostsOfStride = 64;

    private const uint MaxWeight = ushort.MaxValue;

    public static HostPicker Create(Endpoint[] hosts, uint[] weights, HostGroupState state)
        => AreEqual(weights) ? new EqualPicker(hosts, state)
            : hosts.Length <= MostHostsOfStride ? new StridePicker(hosts, weights, state)
            : new CirclePicker(hosts, weights, state);

    protected override HostPicker CreatePicker(Endpoint[] hosts, uint[] weights, HostGroupState state) => Create(hosts, weights, state);

    private sealed class EqualPicker(Endpoint[] hosts, HostGroupState state) : HostPicker
    {
        public override Endpoint Pick(in PickContext context) => hosts[(context.IsRehearsal ? state.PeekTurn() : state.NextTurn()) % (uint)hosts.Length];
    }

    /// <summary>
    /// Turns go round the hosts; a host skips the rounds that its weight does not earn it (the static-stride idea of gRFC A58). Over as many
    /// rounds as the greatest weight every host has exactly its share, and no schedule is shared that would need a lock.
    /// </summary>
    private sealed class StridePicker : HostPicker
    {
        private readonly Endpoint[] _hosts;
        private readonly uint[] _weights;
        private readonly uint _greatest;
        private readonly HostGroupState _state;

        public StridePicker(Endpoint[] hosts, uint[] weights, HostGroupState state)
        {
            _hosts = hosts;
            _state = state;

            _weights = Reduce(weights);
            _greatest = _weights.Max();
        }

        public override Endpoint Pick(in PickContext context)
        {
            for (var passed = 0u; ; passed++)
            {
                var turn = context.IsRehearsal ? _state.PeekTurn(passed) : _state.NextTurn();
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
    }

    /// <summary>
    /// One turn and one search a pick, for any number of hosts: each host is an arc of a circle, as long as its weight, and turns go round it
    /// by the golden ratio. The step has no divisor in common with the circle, so that over one circle every host has exactly its share, and
    /// the golden ratio spreads those evenly.
    /// </summary>
    private sealed class CirclePicker : HostPicker
    {
        private const double GoldenRatio = 0.618033988749894848;

        private readonly Endpoint[] _hosts;
        private readonly ulong[] _ends;
        private readonly ulong _circle;
        private readonly ulong _step;
        private readonly HostGroupState _state;

        public CirclePicker(Endpoint[] hosts, uint[] weights, HostGroupState state)
        {
            _hosts = hosts;
            _state = state;
            _ends = new ulong[hosts.Length];
            var reduced = Reduce(weights);
            for (var i = 0; i < reduced.Length; i++)
            {
                _circle += reduced[i];
                _ends[i] = _circle;
            }

            _step = Math.Max(1, (ulong)(_circle * GoldenRatio));
            while (GreatestCommonDivisor(_circle, _step) != 1)
            {
                _step++;
            }
        }

        public override Endpoint Pick(in PickContext context)
        {
            // Weights of 16 bits keep the circle of fewer than 65,537 hosts within 32 bits; beyond, the product may wrap and costs exactness, no more.
            var place = (context.IsRehearsal ? _state.PeekTurn() : _state.NextTurn()) % _circle * _step % _circle;
            var found = Array.BinarySearch(_ends, place + 1);
            return _hosts[found < 0 ? ~found : found];
        }
    }

    /// <summary>The same proportions in numbers of at most 16 bits.</summary>
    private static uint[] Reduce(uint[] weights)
    {
        var divisor = weights.Aggregate(0u, (a, b) => (uint)GreatestCommonDivisor(a, b));
        var greatest = weights.Max() / divisor;
        return [.. weights.Select(w => Scale(w / divisor, greatest))];
    }

    private static uint Scale(uint weight, uint greatest)
        => greatest <= MaxWeight ? weight : Math.Max(1, (uint)Math.Round(weight * (double)MaxWeight / greatest));

    private static ulong GreatestCommonDivisor(ulong a, ulong b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
