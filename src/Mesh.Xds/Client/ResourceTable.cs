using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>One kind of resource: what is subscribed and what is cached. Changed on the client's serializer only.</summary>
internal sealed class ResourceTable(ResourceType type)
{
    public const string Wildcard = "*";
    private readonly Dictionary<string, ResourceEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<ByteString, ResourceEntry> _byBytes = [];
    private readonly HashSet<ResourceEntry> _unwatched = [];
    private int _watchedNames;

    public ResourceType Type { get; } = type;

    /// <summary>How its last responses ended.</summary>
    public XdsTypeStatus Status { get; private set; } = new(type.TypeUrl, 0, 0, null, null);

    public List<ResourceWatch> WildcardWatches { get; } = [];

    public bool IsWildcard => WildcardWatches.Count > 0;

    /// <summary>Grows when what is subscribed changes.</summary>
    public long SubscriptionVersion { get; private set; }

    /// <summary>Requested by name, not answered, and without a running timer.</summary>
    public HashSet<ResourceEntry> Unanswered { get; } = [];

    public IReadOnlyCollection<ResourceEntry> Entries => _entries.Values;

    public bool HasWatches => IsWildcard || _watchedNames > 0;

    public ResourceEntry? Find(string name) => _entries.GetValueOrDefault(name);

    /// <summary>The entry with exactly these bytes: in state of the world most of a response is what is cached already, and need not be decoded again.</summary>
    public ResourceEntry? FindByBytes(ByteString bytes) => _byBytes.GetValueOrDefault(bytes);

    public IEnumerable<string> SubscribedNames => _entries.Values.Where(e => e.Watches.Count > 0).Select(e => e.Name);

    /// <summary>A response has been answered.</summary>
    public void OnAnswered(XdsAnswer answer)
        => Status = answer.Error is null
            ? Status with { Accepted = Status.Accepted + 1, LastAck = answer }
            : Status with { Refused = Status.Refused + 1, LastNack = answer };

    public void Add(ResourceWatch watch)
    {
        if (watch.Name == Wildcard)
        {
            WildcardWatches.Add(watch);
            SubscriptionVersion += WildcardWatches.Count == 1 ? 1 : 0;
            return;
        }

        var entry = GetOrAdd(watch.Name);
        entry.Watches.Add(watch);
        if (entry.Watches.Count == 1)
        {
            SubscriptionVersion++;
            _watchedNames++;
            _unwatched.Remove(entry);
            if (entry.Resource is null)
            {
                Unanswered.Add(entry);
            }
        }
    }

    /// <summary>Removes a watch. Its entry stays until the server has been told: a new watch before that needs the cached resource, because the server will not send it again.</summary>
    public void Remove(ResourceWatch watch)
    {
        if (watch.Name == Wildcard)
        {
            if (WildcardWatches.Remove(watch) && WildcardWatches.Count == 0)
            {
                SubscriptionVersion++;
                _unwatched.UnionWith(_entries.Values.Where(e => e.Watches.Count == 0));
            }
        }
        else if (Find(watch.Name) is { } entry && entry.Watches.Remove(watch) && entry.Watches.Count == 0)
        {
            SubscriptionVersion++;
            _watchedNames--;
            Unanswered.Remove(entry);
            if (!IsWildcard || entry.Resource is null)
            {
                _unwatched.Add(entry);
            }
        }
    }

    /// <summary>Forgets what nobody watches any more, once the server knows.</summary>
    public void Prune()
    {
        foreach (var entry in _unwatched.ToArray())
        {
            if (entry.Watches.Count == 0 && !(IsWildcard && entry.Resource is not null))
            {
                Forget(entry);
            }
        }

        _unwatched.Clear();
    }

    public ResourceEntry GetOrAdd(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
        {
            entry = new ResourceEntry(this, name);
            _entries.Add(name, entry);
        }

        return entry;
    }

    public void Store(ResourceEntry entry, object resource, ByteString bytes)
    {
        Drop(entry);
        entry.Resource = resource;
        entry.Bytes = bytes;
        _byBytes[bytes] = entry;
        Unanswered.Remove(entry);
    }

    /// <summary>Drops the cached resource.</summary>
    public void Drop(ResourceEntry entry)
    {
        if (entry.Bytes is { } bytes && _byBytes.GetValueOrDefault(bytes) == entry)
        {
            _byBytes.Remove(bytes);
        }

        entry.Resource = null;
        entry.Bytes = null;
    }

    /// <summary>Forgets an entry altogether.</summary>
    public void Forget(ResourceEntry entry)
    {
        Drop(entry);
        entry.StopResourceTimer();
        entry.StopTimeToLive();
        entry.Version = "";
        Unanswered.Remove(entry);
        _unwatched.Remove(entry);
        if (Find(entry.Name) == entry)
        {
            _entries.Remove(entry.Name);
        }
    }
}
