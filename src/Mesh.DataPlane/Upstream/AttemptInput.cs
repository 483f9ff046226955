using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Upstream;

/// <summary>What one attempt is given.</summary>
internal readonly struct AttemptInput
{
    public HostEntry Host { get; init; }

    /// <summary>The message to send: the caller's own, or for attempts side by side a copy.</summary>
    public HttpRequestMessage Request { get; init; }

    /// <summary>Route and cluster; the endpoint is picked for each attempt.</summary>
    public Decision Routed { get; init; }

    public PickContext Pick { get; init; }

    public AttemptPlan Plan { get; init; }

    /// <summary>Which attempt it is, from 1.</summary>
    public int Number { get; init; }

    /// <summary>Where earlier attempts left the clocks that span all of them.</summary>
    public AttemptClocks Clocks { get; init; }

    /// <summary>The endpoints of earlier attempts, to be passed over.</summary>
    public IReadOnlyList<Clusters.EndpointState>? Previous { get; init; }

    /// <summary>A hedged attempt goes on after its per-try timeout, beside the next one.</summary>
    public bool IsHedged { get; init; }

    /// <summary>The caller's message came with an attempt count, which is not passed on.</summary>
    public bool HasOwnAttemptCount { get; init; }

    /// <summary>The attempt before this one ran out of time.</summary>
    public bool FollowsTimeout { get; init; }

    /// <summary>Learns which endpoint was picked, as soon as it was.</summary>
    public Action<Clusters.EndpointState>? OnPicked { get; init; }

    /// <summary>The caller's body where it is watched: its end starts the clocks.</summary>
    public Retry.OutgoingBody? Body { get; init; }

    /// <summary>What the route has changed of the caller's message; <see langword="null"/> when it has changed nothing.</summary>
    public RequestEdit? Edit { get; init; }
}
