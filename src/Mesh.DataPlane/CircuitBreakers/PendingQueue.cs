using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>The requests that wait, oldest first, for the cluster and for each host. Its owner's lock guards it.</summary>
internal sealed class PendingQueue
{
    private readonly LinkedList<PendingRequest> _all = [];
    private readonly Dictionary<PendingRequest, (LinkedListNode<PendingRequest> Cluster, LinkedListNode<PendingRequest> Host)> _places = [];
    private readonly Dictionary<EndpointState, LinkedList<PendingRequest>> _hosts = [];

    public int Count => _all.Count;

    /// <summary>The oldest and, by <see cref="LinkedListNode{T}.Next"/>, those after it.</summary>
    public LinkedListNode<PendingRequest>? First => _all.First;

    public void Add(PendingRequest request)
    {
        if (!_hosts.TryGetValue(request.Host, out var ofHost))
        {
            _hosts.Add(request.Host, ofHost = []);
        }

        _places.Add(request, (_all.AddLast(request), ofHost.AddLast(request)));
    }

    /// <returns><see langword="false"/> when it does not wait any more.</returns>
    public bool Remove(PendingRequest request)
    {
        if (!_places.Remove(request, out var place))
        {
            return false;
        }

        _all.Remove(place.Cluster);
        var ofHost = _hosts[request.Host];
        ofHost.Remove(place.Host);
        if (ofHost.Count == 0)
        {
            _hosts.Remove(request.Host);
        }

        return true;
    }

    /// <summary>The oldest that waits for a host.</summary>
    public PendingRequest? FirstOf(EndpointState host) => _hosts.GetValueOrDefault(host)?.First?.Value;
}
