using Mesh.ControlPlane.Config.Sources;

namespace Mesh.ControlPlane.Config;

/// <summary>Makes one snapshot of the documents of all sources.</summary>
internal sealed class ConfigStore : IConfigStore, IDisposable
{
    private readonly IReadOnlyList<IConfigSource> _sources;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyList<ConfigDiagnostic>> _reports = new(StringComparer.Ordinal);
    private Dictionary<(string Kind, string Namespace, string Name), ConfigResource> _current = [];
    private IReadOnlyList<ConfigDiagnostic> _ofSources = [];
    private volatile ConfigSnapshot _snapshot = ConfigSnapshot.Empty;
    private volatile IReadOnlyList<ConfigDiagnostic> _diagnostics = [];
    private int _raising;

    public ConfigStore(IEnumerable<IConfigSource> sources)
    {
        _sources = [.. sources];
        foreach (var source in _sources)
        {
            source.Changed += Merge;
        }

        Merge();
    }

    public event Action<ConfigSnapshot>? Changed;

    public ConfigSnapshot Current => _snapshot;

    public IReadOnlyList<ConfigDiagnostic> Diagnostics => _diagnostics;

    public void Report(string origin, IReadOnlyList<ConfigDiagnostic> diagnostics)
    {
        lock (_lock)
        {
            if (_reports.GetValueOrDefault(origin, []).SequenceEqual(diagnostics))
            {
                return;
            }

            _reports[origin] = diagnostics;
            _diagnostics = [.. _ofSources, .. _reports.OrderBy(r => r.Key, StringComparer.Ordinal).SelectMany(r => r.Value)];
        }

        Raise();
    }

    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Changed -= Merge;
        }
    }

    private void Merge()
    {
        lock (_lock)
        {
            var diagnostics = _sources.SelectMany(s => s.Diagnostics).ToList();
            var next = new Dictionary<(string, string, string), ConfigResource>();
            foreach (var group in _sources.SelectMany(s => s.Resources).GroupBy(r => r.Key))
            {
                var earlier = _current.GetValueOrDefault(group.Key);
                // Who was there first stays, also when a file with a lesser name comes to claim the same document.
                var chosen = group.FirstOrDefault(r => earlier is not null && r.Source.File == earlier.Source.File) ?? group.First();
                next.Add(group.Key, earlier is null ? chosen : Continue(earlier, chosen));
                foreach (var other in group.Where(r => !ReferenceEquals(r, chosen)))
                {
                    diagnostics.Add(new ConfigDiagnostic(
                        ConfigSeverity.Error,
                        ConfigCodes.Duplicate,
                        other.Source.File,
                        other.Source.Line,
                        1,
                        "",
                        $"{other.Kind.Kind} {other.Namespace}/{other.Name}",
                        $"is also in {chosen.Source}, which stays: remove or rename one of the two."));
                }
            }

            var changed = next.Count != _current.Count || next.Any(n => !_current.TryGetValue(n.Key, out var old) || !ReferenceEquals(old, n.Value));
            var told = !_ofSources.SequenceEqual(diagnostics);
            if (!changed && !told)
            {
                return;
            }

            if (changed)
            {
                _current = next;
                var ordered = next.Values
                    .OrderBy(r => r.Namespace, StringComparer.Ordinal)
                    .ThenBy(r => r.Name, StringComparer.Ordinal)
                    .ThenBy(r => r.Kind.ToString(), StringComparer.Ordinal)
                    .ToArray();
                _snapshot = new ConfigSnapshot(_snapshot.Version + 1, ordered);
            }

            _ofSources = diagnostics;
            _diagnostics = [.. _ofSources, .. _reports.OrderBy(r => r.Key, StringComparer.Ordinal).SelectMany(r => r.Value)];
        }

        Raise();
    }

    // What did not change stays the same object, so that work downstream is proportional to change.
    private static ConfigResource Continue(ConfigResource earlier, ConfigResource now)
    {
        var created = now.HasCreationTimestamp || earlier.HasCreationTimestamp ? now.Created : earlier.Created;
        var same = ReferenceEquals(earlier, now)
            || (earlier.Created == created
                && earlier.HasCreationTimestamp == now.HasCreationTimestamp
                && Equal(earlier.Labels, now.Labels)
                && Equal(earlier.Annotations, now.Annotations)
                && earlier.Spec.Equals(now.Spec));
        if (same)
        {
            return earlier.Source.Equals(now.Source) ? earlier : earlier with { Source = now.Source };
        }

        return now with { Created = created, Spec = earlier.Spec.Equals(now.Spec) ? earlier.Spec : now.Spec };
    }

    private static bool Equal(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b)
        => a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var value) && value == pair.Value);

    // One call at a time, and none lost: who finds another raising leaves it one more round.
    private void Raise()
    {
        if (Interlocked.Increment(ref _raising) != 1)
        {
            return;
        }

        var rounds = 1;
        try
        {
            do
            {
                rounds = Volatile.Read(ref _raising);
                Changed?.Invoke(_snapshot);
            }
            while (Interlocked.Add(ref _raising, -rounds) != 0);
        }
        catch
        {
            // A subscriber that fails must not silence the next change.
            Interlocked.Exchange(ref _raising, 0);
            throw;
        }
    }
}
