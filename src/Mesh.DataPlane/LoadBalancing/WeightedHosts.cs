using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Maps a uniform draw to a host in proportion to the weights.</summary>
internal sealed class WeightedHosts
{
    private readonly Endpoint[] _hosts;
    private readonly ulong[]? _upperBounds;

    public WeightedHosts(Endpoint[] hosts)
    {
        _hosts = hosts;
        if (hosts.Any(h => h.Resource.Weight != hosts[0].Resource.Weight))
        {
            var sum = 0UL;
            _upperBounds = [.. hosts.Select(h => sum += h.Resource.Weight)];
        }
    }

    public int Count => _hosts.Length;

    public Endpoint At(ulong draw)
    {
        if (_upperBounds is null)
        {
            return _hosts[(int)Math.BigMul(draw, (ulong)_hosts.Length, out _)];
        }

        var point = Math.BigMul(draw, _upperBounds[^1], out _);
        var index = Array.BinarySearch(_upperBounds, point + 1);
        return _hosts[index < 0 ? ~index : index];
    }
}
