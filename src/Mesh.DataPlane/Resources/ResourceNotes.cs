using System.Collections.Concurrent;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Resources;

/// <summary>Reports once for each resource what it carries that this data plane does not do.</summary>
internal sealed partial class ResourceNotes(ILogger logger)
{
    private const int MaxResources = 10_000;

    private readonly ConcurrentDictionary<(string Type, string Name), string> _notes = new();

    /// <summary>What stands against the resources in use, for status pages.</summary>
    public IReadOnlyDictionary<(string Type, string Name), string> All => _notes;

    public void Report(ResourceType type, string name, Resource resource)
    {
        var key = (type.ShortName, name);
        if (resource.Notes.Count == 0)
        {
            _notes.TryRemove(key, out _);
            return;
        }

        var text = string.Join("; ", resource.Notes);
        if ((_notes.TryGetValue(key, out var known) && known == text) || (known is null && _notes.Count >= MaxResources))
        {
            return;
        }

        _notes[key] = text;
        Log.NotDone(logger, type.ShortName, name, text);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Type} {Name} is applied without what this version of Mesh does not do: {Notes}.")]
        public static partial void NotDone(ILogger logger, string type, string name, string notes);
    }
}
