using System.Collections.Concurrent;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>
/// Which service requests are for that no cluster's metadata names: the host that was asked for, and the names that Istio has for what is outside of the
/// mesh. Hosts are made up by whoever asks, so only so many are remembered by name.
/// </summary>
/// <param name="limit">How many.</param>
internal sealed class ServiceLookup(CardinalityLimit limit)
{
    private const int MaxHosts = 512;
    private const string PassThrough = "PassthroughCluster";
    private const string BlackHole = "BlackHoleCluster";

    private readonly ConcurrentDictionary<(string Host, string? Name), ServiceNames> _hosts = new();
    private int _count;

    /// <summary>The service of a request.</summary>
    /// <param name="known">What the cluster's metadata say.</param>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="route">The route.</param>
    /// <param name="authority">The host that was asked for; empty where it is not to be used.</param>
    public ServiceNames Of(ServiceNames? known, string? cluster, RouteEntry? route, string authority)
    {
        var outside = route?.Name switch
        {
            "block_all" => BlackHole,
            "allow_any" => PassThrough,
            _ => cluster is BlackHole or PassThrough or "InboundPassthroughCluster" or "InboundPassthroughClusterIpv4" or "InboundPassthroughClusterIpv6" ? cluster : null,
        };
        return outside is null && known is not null ? known
            : outside is null && authority.Length == 0 ? ServiceNames.Unknown
            : OfHost(authority, outside);
    }

    private ServiceNames OfHost(string host, string? outside)
    {
        if (_hosts.TryGetValue((host, outside), out var names))
        {
            return names;
        }

        if (Volatile.Read(ref _count) < MaxHosts)
        {
            names = new ServiceNames(host, outside ?? host, "");
            if (_hosts.TryAdd((host, outside), names))
            {
                Interlocked.Increment(ref _count);
            }

            return names;
        }

        limit.Count("istio_destination_service");
        return outside is null ? ServiceNames.Overflow : OfOverflow(outside);
    }

    // One more for each of the few names of what is outside.
    private ServiceNames OfOverflow(string outside)
        => _hosts.GetOrAdd((CardinalityLimit.OverflowValue, outside), static key => new ServiceNames(key.Host, key.Name!, ""));
}
