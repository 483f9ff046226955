using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Calls;

/// <summary>A cluster that a filter calls, and how long and how often it may try; compiled once.</summary>
internal sealed class ClusterTarget
{
    private static readonly RouteMatch Anything = new(new PathMatch(PathMatchKind.Prefix, "/", CaseSensitive: true), RouteConditions.None);

    /// <param name="cluster">The name of the cluster.</param>
    /// <param name="timeout">From the end of the request to the end of the response, over all attempts.</param>
    /// <param name="retry">When to try again; <see langword="null"/> for never.</param>
    public ClusterTarget(string cluster, TimeSpan timeout, RetryPolicy? retry = null)
    {
        (Cluster, Timeout) = (cluster, timeout);
        Host = new HostEntry(new HostKey(cluster, 0), isMeshName: false);

        // A peer that does not even take the request must not hold it for ever.
        var timeouts = timeout > TimeSpan.Zero ? new TimeoutPolicy { Route = timeout, MaxStreamDuration = timeout * 2 } : TimeoutPolicy.None;
        Route = new RouteEntry(-1, "call", Anything, new RouteAction.Unsupported("call"), new RoutePolicy { Timeouts = timeouts, Retry = retry });
    }

    public string Cluster { get; }

    /// <summary>Zero is none.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>The authority of gRPC calls; empty for the cluster's name.</summary>
    public string Authority { get; init; } = "";

    /// <summary>The longest message that a gRPC server may answer with.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The same for calls that have no end.</summary>
    public ClusterTarget WithoutTimeout => Timeout == TimeSpan.Zero ? this : new ClusterTarget(Cluster, TimeSpan.Zero) { Authority = Authority, MaxMessageBytes = MaxMessageBytes };

    /// <summary>What stands for the host and the route that other requests have.</summary>
    internal HostEntry Host { get; }

    internal RouteEntry Route { get; }
}
