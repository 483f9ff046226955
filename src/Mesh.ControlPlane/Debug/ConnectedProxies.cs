using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Debug;

/// <summary>The clients that have a stream open now, under the names that people know them by.</summary>
internal sealed class ConnectedProxies(IAdsServer server)
{
    private const int MaxNamed = 20;

    /// <summary>Those that have said who they are, by name.</summary>
    public IReadOnlyList<ConnectedProxy> All =>
    [
        .. server.Connections
            .Where(connection => connection.Node is not null)
            .Select(connection => new ConnectedProxy(connection))
            .OrderBy(proxy => proxy.Name, StringComparer.Ordinal)
            .ThenBy(proxy => proxy.Status.Connection.Id),
    ];

    /// <summary>The one that a name means: pod and namespace, the workload and namespace where it has one instance, or the node's id.</summary>
    /// <exception cref="DebugQueryException">There is none, or there are several.</exception>
    public ConnectedProxy Find(string? name)
    {
        if (name is null)
        {
            throw new DebugQueryException(400, "which proxy? give ?proxyID=<name>.<namespace>, as in /debug/syncz");
        }

        var all = All;
        ConnectedProxy[] found = [];
        foreach (var match in (ReadOnlySpan<Func<ConnectedProxy, bool>>)[p => p.Status.Node!.Id == name, p => p.Name == name, p => p.Workload == name, p => p.MayMean(name)])
        {
            found = [.. all.Where(match)];
            if (found.Length > 0)
            {
                break;
            }
        }

        // A client that comes back has, for a moment, two streams: the last is in force.
        return found.DistinctBy(proxy => proxy.Name).Count() switch
        {
            1 => found[^1],
            0 => throw new DebugQueryException(404, $"no proxy {name} is connected; connected are {NamesOf(all)}"),
            _ => throw new DebugQueryException(409, $"{name} may be any of {NamesOf(found)}; name one of them"),
        };
    }

    /// <summary>What one was sent.</summary>
    public IReadOnlyList<AdsResourceStatus> ResourcesOf(ConnectedProxy proxy) => server.ResourcesOf(proxy.Status.Connection.Id);

    private static string NamesOf(IReadOnlyList<ConnectedProxy> proxies)
        => proxies.Count == 0 ? "none"
            : string.Join(", ", proxies.Select(proxy => proxy.Name).Distinct().Take(MaxNamed)) + (proxies.Count > MaxNamed ? $" and {proxies.Count - MaxNamed} more" : "");
}
