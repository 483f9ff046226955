using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A picker whose weights change by themselves: built anew from time to time and swapped, so that a pick only reads it.</summary>
internal sealed class ReweighedPicker : HostPicker
{
    private readonly Endpoint[] _hosts;
    private readonly HostGroupState _state;
    private readonly Func<uint[], HostGroupState, HostPicker> _create;
    private readonly HostWeights _source;
    private uint[] _weights = [];
    private HostPicker _current;

    public ReweighedPicker(Endpoint[] hosts, HostGroupState state, Func<uint[], HostGroupState, HostPicker> create, HostWeights source)
    {
        (_hosts, _state, _create, _source) = (hosts, state, create, source);
        _current = this;
        Reweigh(state.Time.GetTimestamp());
    }

    public override Endpoint Pick(in PickContext context) => Volatile.Read(ref _current).Pick(context);

    public override TimeSpan? Reweigh(long now)
    {
        var weights = new double[_hosts.Length];
        var next = _source.Weigh(_hosts, _state.Time, now, weights);
        var scaled = HostWeights.Scale(weights);
        if (!_weights.AsSpan().SequenceEqual(scaled))
        {
            _weights = scaled;
            Volatile.Write(ref _current, _create(scaled, _state));
        }

        return next;
    }
}
