using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Maps a uniform draw to a host in proportion to the weights.</summary>
internal sealed class WeightedHosts
{
    private readonly Endpoint[] _hosts;
    private readonly ulong[]? _upperBounds;

    public WeightedHosts(Endpoint[] hosts)
        : this(hosts, [.. hosts.Select(h => h.Resource.Weight)])
    {
    }

    public WeightedHosts(Endpoint[] hosts, uint[] weights)
    {
        _hosts = hosts;
        if (weights.AsSpan().ContainsAnyExcept(weights[0]))
        {
            var sum = 0UL;
            _upperBounds = [.. weights.Select(w => sum += w)];
        }
    }

    public Endpoint this[int index] => _hosts[index];

    public ulong WeightOf(int index) => _upperBounds is null ? 1 : index == 0 ? _upperBounds[0] : _upperBounds[index] - _upperBounds[index - 1];

    public Endpoint At(ulong draw) => _hosts[IndexAt(draw)];

    public int IndexAt(ulong draw)
    {
        if (_upperBounds is null)
        {
            return (int)Math.BigMul(draw, (ulong)_hosts.Length, out _);
        }

        var point = Math.BigMul(draw, _upperBounds[^1], out _);
        var index = Array.BinarySearch(_upperBounds, point + 1);
        return index < 0 ? ~index : index;
    }
}
