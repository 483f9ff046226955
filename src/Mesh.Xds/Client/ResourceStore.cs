using Google.Protobuf;
using Google.Rpc;
using Mesh.Xds.Grpc;
using Mesh.Xds.Validation;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Client;

/// <summary>
/// Everything subscribed and cached, and the rules by which responses, time and lost connections change it. Knows nothing of streams; what
/// watchers have to be told is queued. Used on the client's serializer only.
/// </summary>
internal sealed partial class ResourceStore(XdsClientOptions options, Action<Action> enqueue)
{
    private const string BodyField = "resource";
    private readonly Dictionary<string, ResourceTable> _tables = new(StringComparer.Ordinal);
    private readonly List<ResourceTable> _ordered = [];
    private readonly Queue<(ResourceWatch Watch, Action<ResourceWatch> Call)> _calls = [];

    /// <summary>The kinds in the order in which they were first watched.</summary>
    public IReadOnlyList<ResourceTable> Tables => _ordered;

    public bool HasWatches => _ordered.Any(t => t.HasWatches);

    /// <summary>Whether a watcher waits for a resource that no server has sent (gRFC A71's condition for falling back).</summary>
    public bool HasUncached => _ordered.Any(t => t.Entries.Any(e => e.Resource is null && e.Watches.Count > 0) || (t.IsWildcard && t.Entries.Count == 0));

    public bool TryTakeCall(out ResourceWatch watch, out Action<ResourceWatch> call)
    {
        var taken = _calls.TryDequeue(out var next);
        (watch, call) = next;
        return taken;
    }

    /// <summary>Adds a watcher; what is known is delivered to it in order: the resource, then the error.</summary>
    public ResourceTable Add(ResourceWatch watch)
    {
        if (!_tables.TryGetValue(watch.Type.TypeUrl, out var table))
        {
            table = new ResourceTable(watch.Type);
            _tables.Add(watch.Type.TypeUrl, table);
            _ordered.Add(table);
        }

        table.Add(watch);
        foreach (var entry in watch.Name == ResourceTable.Wildcard ? table.Entries : [table.Find(watch.Name)!])
        {
            if (entry.Resource is not null)
            {
                TellChanged(entry, watch);
            }

            if (entry.Error is not null)
            {
                TellError(entry, watch);
            }
        }

        return table;
    }

    public ResourceTable Remove(ResourceWatch watch)
    {
        var table = _tables[watch.Type.TypeUrl];
        table.Remove(watch);
        return table;
    }

    public ResourceTable? FindTable(string typeUrl) => _tables.GetValueOrDefault(typeUrl);

    /// <summary>Applies one response; valid resources count even if others beside them are refused (gRFC A46).</summary>
    /// <returns>The text of the NACK, or <see langword="null"/> for an ACK.</returns>
    public string? Apply(XdsChannel channel, ResourceTable table, AdsUpdate update)
    {
        var nack = new NackDetail(table.Type.ShortName);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var allIdentified = true;
        for (var i = 0; i < update.Resources.Count; i++)
        {
            allIdentified &= ApplyOne(channel, table, update, i, seen, nack);
        }

        foreach (var name in update.Removed)
        {
            if (table.Find(name) is { } entry)
            {
                Remove(channel, entry, "the server removed it");
            }
        }

        // A resource so broken that its name is unknown might be any of those that are missing: then nothing counts as deleted.
        if (update.IsStateOfTheWorld && table.Type.IsFullStateInSotw && allIdentified)
        {
            foreach (var entry in table.Entries.Where(e => e.Resource is not null && !seen.Contains(e.Name)).ToArray())
            {
                Remove(channel, entry, "the server's full list does not contain it");
            }
        }

        foreach (var (name, error) in update.Errors)
        {
            if (table.Find(name) is { } entry)
            {
                ApplyServerError(channel, entry, error);
            }
        }

        return nack.Build();
    }

    /// <summary>The server is out of reach: what is cached stays in use (gRFC A57, A88).</summary>
    public void OnUnavailable(string message)
    {
        var error = new ResourceError(ResourceErrorKind.Unavailable, message);
        foreach (var table in _ordered)
        {
            foreach (var entry in table.Entries)
            {
                Fail(entry, error);
            }

            if (table.IsWildcard && table.Entries.Count == 0)
            {
                foreach (var watch in table.WildcardWatches)
                {
                    _calls.Enqueue((watch, w => w.OnResourceError(ResourceTable.Wildcard, error)));
                }
            }
        }
    }

    /// <summary>The server answers again: that is told, and so is the next outage even if its message is the same.</summary>
    public void OnAvailable()
    {
        foreach (var entry in _ordered.SelectMany(t => t.Entries))
        {
            if (entry is { Error.Kind: ResourceErrorKind.Unavailable, Resource: not null })
            {
                entry.Error = null;
                var name = entry.Name;
                foreach (var watch in Watches(entry))
                {
                    _calls.Enqueue((watch, w => w.OnRecovered(name)));
                }
            }
        }
    }

    /// <summary>A stream has opened: what is not cached is asked for anew, and the wait begins when the request is written.</summary>
    public void OnStreamOpened()
    {
        foreach (var table in _ordered)
        {
            table.Unanswered.UnionWith(table.Entries.Where(e => e.Resource is null && e.Watches.Count > 0));
        }
    }

    /// <summary>The stream is lost: silence says nothing any more (gRFC A57).</summary>
    public void OnStreamClosed()
    {
        foreach (var entry in _ordered.SelectMany(t => t.Entries))
        {
            entry.StopResourceTimer();
        }
    }

    /// <returns>Whether the resource's name is known.</returns>
    private bool ApplyOne(XdsChannel channel, ResourceTable table, AdsUpdate update, int index, HashSet<string> seen, NackDetail nack)
    {
        var resource = update.Resources[index];
        var shown = resource.Name.Length > 0 ? resource.Name : $"resources[{index}]";
        if (resource.Malformed is { } malformed)
        {
            nack.Add(shown, BodyField, malformed);
            return resource.Name.Length > 0 && (seen.Add(resource.Name) || true);
        }

        if (resource.Name.Length > 0 && !seen.Add(resource.Name))
        {
            nack.Add(shown, "name", "the response contains the resource twice");
            return true;
        }

        var entry = resource.Name.Length > 0 ? table.Find(resource.Name) : null;
        if (resource.Name.Length > 0 && !IsRequested(table, entry))
        {
            return true;
        }

        if (resource.Body is not { } body)
        {
            ApplyHeartbeat(channel, entry, resource, shown, nack);
            return resource.Name.Length > 0;
        }

        // 1. Is it of the right kind, and do we hold these very bytes already?
        var name = resource.Name;
        if (body.TypeUrl != table.Type.TypeUrl)
        {
            Refuse(channel, table, resource, name, shown, "@type", $"'{body.TypeUrl}' in a response for '{table.Type.TypeUrl}'", nack);
            return name.Length > 0;
        }

        var cached = table.FindByBytes(body.Value);
        object? decoded = cached is not null && (name.Length == 0 || cached.Name == name) ? cached.Resource : null;
        if (decoded is not null)
        {
            name = cached!.Name;
        }
        else
        {
            // 2. Decode and validate.
            var ownName = "";
            try
            {
                decoded = table.Type.Decode(body.Value, out ownName);
            }
            catch (Exception e)
            {
                name = name.Length > 0 ? name : ownName ?? "";
                var isNew = name.Length == 0 || resource.Name.Length > 0 || seen.Add(name);
                var (field, reason) = e is ResourceRejectedException rejected ? (rejected.Field, rejected.Reason) : (BodyField, e.Message);
                if (e is not (ResourceRejectedException or InvalidProtocolBufferException))
                {
                    Log.DecoderFailed(options.Logger, e, table.Type.ShortName, name);
                }

                if (isNew)
                {
                    Refuse(channel, table, resource, name, name.Length > 0 ? name : shown, field, reason, nack);
                }

                return name.Length > 0;
            }

            if (name.Length > 0 && ownName.Length > 0 && ownName != name)
            {
                Refuse(channel, table, resource, name, name, "name", $"the resource calls itself '{ownName}'", nack);
                return true;
            }

            name = name.Length > 0 ? name : ownName;
        }

        if (resource.Name.Length == 0 && !seen.Add(name))
        {
            nack.Add(name, "name", "the response contains the resource twice");
            return true;
        }

        // 3. Keep it only if somebody asked for it.
        entry = table.Find(name);
        if (!IsRequested(table, entry))
        {
            return true;
        }

        if (entry is null && table.Entries.Count >= options.MaxResourcesPerType)
        {
            nack.Add(name, BodyField, $"more than {options.MaxResourcesPerType} resources");
            return true;
        }

        Store(channel, entry ?? table.GetOrAdd(name), decoded, body.Value, resource);
        return true;
    }

    private static bool IsRequested(ResourceTable table, ResourceEntry? entry) => table.IsWildcard || entry is { Watches.Count: > 0 };

    /// <summary>A resource without a body renews the time to live of the version that is cached (xDS protocol, "Resource TTL").</summary>
    private void ApplyHeartbeat(XdsChannel channel, ResourceEntry? entry, AdsUpdateResource resource, string shown, NackDetail nack)
    {
        if (resource.TimeToLive is null)
        {
            nack.Add(shown, BodyField, "is missing");
        }
        else if (entry is { Resource: not null })
        {
            StartTimeToLive(channel, entry, resource.TimeToLive);
        }
    }

    private void Store(XdsChannel channel, ResourceEntry entry, object decoded, ByteString bytes, AdsUpdateResource resource)
    {
        entry.StopResourceTimer();
        entry.State = ResourceState.Acked;
        entry.Rejected = null;
        entry.Version = resource.Version;
        entry.Source = channel;
        entry.LastUpdated = options.TimeProvider.GetUtcNow();
        StartTimeToLive(channel, entry, resource.TimeToLive);
        var unchanged = entry.Resource is not null && bytes.Equals(entry.Bytes);
        if (unchanged && entry.Error is null)
        {
            return;
        }

        if (!unchanged)
        {
            entry.Table.Store(entry, decoded, bytes);
        }

        entry.Error = null;
        foreach (var watch in Watches(entry))
        {
            TellChanged(entry, watch);
        }
    }

    private static void Drop(ResourceEntry entry)
    {
        entry.StopTimeToLive();
        entry.Table.Drop(entry);
        entry.Version = "";
    }

    /// <summary>With a cached resource an error is ambient, without one it is the answer; the same one is told once (gRFC A88).</summary>
    private void Fail(ResourceEntry entry, ResourceError error)
    {
        if (entry.Error == error)
        {
            return;
        }

        entry.Error = error;
        foreach (var watch in Watches(entry))
        {
            TellError(entry, watch);
        }
    }

    private static IEnumerable<ResourceWatch> Watches(ResourceEntry entry) => entry.Watches.Concat(entry.Table.WildcardWatches);

    private void TellChanged(ResourceEntry entry, ResourceWatch watch)
    {
        var (name, resource, version) = (entry.Name, entry.Resource!, entry.Version);
        _calls.Enqueue((watch, w => w.OnChanged(name, resource, version)));
    }

    private void TellError(ResourceEntry entry, ResourceWatch watch)
    {
        var (name, error) = (entry.Name, entry.Error!);
        _calls.Enqueue(entry.Resource is null
            ? (watch, w => w.OnResourceError(name, error))
            : (watch, w => w.OnAmbientError(name, error)));
    }

    private static partial class Log
    {
        [LoggerMessage(20, LogLevel.Error, "The decoder of {Kind} failed on {Name}; the resource is refused")]
        public static partial void DecoderFailed(ILogger logger, Exception exception, string kind, string name);

        [LoggerMessage(21, LogLevel.Warning, "{Kind} {Name} was removed by {Server} and stays in use (ignore_resource_deletion)")]
        public static partial void DeletionIgnored(ILogger logger, string kind, string name, string server);
    }
}
