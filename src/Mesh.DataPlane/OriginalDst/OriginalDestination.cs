using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.OriginalDst;

/// <summary>
/// One address that callers have asked for, as a host of its cluster. A name is one host, too: new connections go to the first address of its
/// latest answer. The object is found by one look-up, its endpoint is one reference that is swapped.
/// </summary>
internal sealed class OriginalDestination(OriginalDestinations owner, HostKey key)
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Endpoint? _endpoint;
    private string? _error;
    private bool _isUsed;

    /// <summary>What was asked for: an address or a name, and the port.</summary>
    public HostKey Key { get; } = key;

    /// <summary>Where it is; unset until its name has been resolved.</summary>
    public EndpointResource? Resource { get; set; }

    /// <summary>Follows the name; unset for an address.</summary>
    public DnsEndpoints? Names { get; set; }

    /// <summary>Completes when it is known where it is, or that nobody knows.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Its address, when it is one.</summary>
    public IPAddress? Address { get; } = IPAddress.TryParse(key.Host, out var address) ? address : null;

    /// <summary>The host of the latest endpoint set.</summary>
    public Endpoint? Endpoint
    {
        get => Volatile.Read(ref _endpoint);
        set => Volatile.Write(ref _endpoint, value);
    }

    /// <summary>Somebody has asked for it since the last cleanup, or uses it now.</summary>
    public bool IsInUse => Volatile.Read(ref _isUsed) || !Answered.IsCompleted || IsBusy;

    /// <summary>A request or a connection would be lost with it.</summary>
    public bool IsBusy => Endpoint is { State: var state } && (state.ActiveRequests > 0 || state.HasConnections);

    /// <summary>Why there is no endpoint.</summary>
    public LocalReply Failure
        => Volatile.Read(ref _error) is { } error ? LocalReply.UnresolvedDestination(error)
            : Answered.IsCompleted ? LocalReply.NoHealthyUpstream
            : LocalReply.UnresolvedDestination($"{Key.Host} has not been resolved in time");

    /// <summary>The host for an attempt; it comes back when it was cleaned up meanwhile.</summary>
    public Endpoint? Pick()
    {
        Touch();
        return Endpoint ?? owner.Restore(this);
    }

    // Written once between two cleanups, so that requests do not share the line.
    public void Touch()
    {
        if (!Volatile.Read(ref _isUsed))
        {
            Volatile.Write(ref _isUsed, true);
        }
    }

    /// <summary>Begins a new interval without use.</summary>
    public void Rest() => Volatile.Write(ref _isUsed, false);

    public void Answer(string? error)
    {
        Volatile.Write(ref _error, error);
        _answered.TrySetResult();
    }

    public override string ToString() => Key.ToString();
}
