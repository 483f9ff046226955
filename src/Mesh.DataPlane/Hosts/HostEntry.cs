namespace Mesh.DataPlane.Hosts;

/// <summary>A host that requests have named: the object is found by one look-up, its state is one reference that is swapped.</summary>
internal sealed class HostEntry(HostKey key, bool isMeshName)
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _unreachable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HostState _state = HostState.Pending;
    private bool _evicted;

    public HostKey Key { get; } = key;

    /// <summary>As a client writes it into the Host header: the default ports are left out.</summary>
    public string Authority { get; } = key.Authority;

    /// <summary>A name in the mesh's own domains: never to be looked up in DNS.</summary>
    public bool IsMeshName { get; } = isMeshName;

    public HostState State => Volatile.Read(ref _state);

    /// <summary>Completes when the state is no longer pending, or when no answer will come because the entry has been evicted.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Completes when the control plane could not be reached while there was no answer.</summary>
    public Task Unreachable => _unreachable.Task;

    /// <summary>Someone has waited for the answer in vain: the next ones do not wait again.</summary>
    public bool HasTimedOut { get; set; }

    /// <summary>Not the mesh's: its requests go by the outbound policy, and this entry is one request's.</summary>
    public bool IsOutside { get; init; }

    /// <summary>Stays subscribed however idle it is.</summary>
    public bool IsPreloaded { get; set; }

    /// <summary>The directory's sweep in which the host was last used.</summary>
    public int LastUsed { get; set; }

    /// <summary>Dropped from the directory; whoever still holds it has to resolve the host anew.</summary>
    public bool IsEvicted => Volatile.Read(ref _evicted);

    public void Publish(HostState state)
    {
        Volatile.Write(ref _state, state);
        if (state.Status != HostStatus.Pending)
        {
            _answered.TrySetResult();
        }
    }

    public void Evict()
    {
        Volatile.Write(ref _evicted, true);
        _answered.TrySetResult();
    }

    /// <summary>No answer will come for now.</summary>
    public void SetUnreachable() => _unreachable.TrySetResult();

    public override string ToString() => Key.ToString();
}
