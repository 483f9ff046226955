namespace Mesh.ControlPlane.Config.Sources;

/// <summary>Documents given as strings, one by one as <c>kubectl apply</c> takes them, or all at once.</summary>
internal sealed class InMemoryConfigSource(TimeProvider time, ConfigReaderOptions? options = null) : IConfigSource
{
    public const string MemoryName = "memory";

    private readonly ConfigReader _reader = new(options ?? ConfigReaderOptions.Default, time);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Kind, string Namespace, string Name), ConfigResource> _resources = [];
    private readonly Dictionary<(string Kind, string Namespace, string Name), ConfigDiagnostic[]> _diagnostics = [];
    private volatile State _state = new([], []);

    public event Action? Changed;

    public string Name => MemoryName;

    public IReadOnlyList<ConfigResource> Resources => _state.Resources;

    /// <summary>
    /// What is to be told of each document's newest version. A text that could not be read at all leaves nothing here: only its
    /// caller is told.
    /// </summary>
    public IReadOnlyList<ConfigDiagnostic> Diagnostics => _state.Diagnostics;

    /// <summary>Adds or changes the documents of <paramref name="yaml"/>; invalid ones keep their last good version, the others apply.</summary>
    /// <returns>All that is to be told about <paramref name="yaml"/>.</returns>
    public IReadOnlyList<ConfigDiagnostic> Apply(string yaml) => Change(yaml, replace: false);

    /// <summary>As <see cref="Apply"/>, and removes the documents that <paramref name="yaml"/> does not name.</summary>
    /// <returns>All that is to be told about <paramref name="yaml"/>.</returns>
    public IReadOnlyList<ConfigDiagnostic> Replace(string yaml) => Change(yaml, replace: true);

    /// <summary>Removes one document.</summary>
    /// <param name="kind">Its kind, with the group or without: <c>VirtualService</c>.</param>
    /// <param name="namespace">Its namespace.</param>
    /// <param name="name">Its name.</param>
    /// <returns>Whether it was there.</returns>
    public bool Delete(string kind, string @namespace, string name)
    {
        lock (_lock)
        {
            var keys = _resources.Keys.Union(_diagnostics.Keys)
                .Where(k => k.Namespace == @namespace && k.Name == name && (k.Kind == kind || k.Kind.StartsWith($"{kind}.", StringComparison.Ordinal)))
                .ToArray();
            if (keys.Length == 0)
            {
                return false;
            }

            foreach (var key in keys)
            {
                _resources.Remove(key);
                _diagnostics.Remove(key);
            }

            Publish();
        }

        Changed?.Invoke();
        return true;
    }

    private List<ConfigDiagnostic> Change(string yaml, bool replace)
    {
        var text = _reader.Read(yaml, MemoryName);
        List<ConfigDiagnostic> told = [.. text.Diagnostics];
        if (text.Broken is not null)
        {
            return told;
        }

        lock (_lock)
        {
            var seen = new Dictionary<(string Kind, string Namespace, string Name), ConfigDocument>();
            foreach (var document in text.Documents)
            {
                if (document.Key is not { } key)
                {
                    continue;
                }

                if (!seen.TryAdd(key, document))
                {
                    told.Add(Twice(document, seen[key]));
                    continue;
                }

                if (document.Resource is { } resource)
                {
                    _resources[key] = resource;
                }

                _diagnostics[key] = [.. document.Diagnostics];
            }

            // A document whose name could not be read may be any of the others: then nothing is taken away.
            if (replace && !text.Documents.Any(d => d.Key is null && d.HasErrors))
            {
                foreach (var key in _resources.Keys.Union(_diagnostics.Keys).Where(k => !seen.ContainsKey(k)).ToArray())
                {
                    _resources.Remove(key);
                    _diagnostics.Remove(key);
                }
            }

            Publish();
        }

        Changed?.Invoke();
        return told;
    }

    private static ConfigDiagnostic Twice(ConfigDocument document, ConfigDocument first)
    {
        var (kind, ns, name) = document.Key!.Value;
        var line = document.Resource?.Source.Line ?? document.Diagnostics.FirstOrDefault()?.Line ?? 1;
        var where = first.Resource is { } resource ? $", first in {resource.Source}" : "";
        return new ConfigDiagnostic(
            ConfigSeverity.Error,
            ConfigCodes.Duplicate,
            MemoryName,
            line,
            1,
            "",
            $"{kind} {ns}/{name}",
            $"is given twice{where}: the first stays, remove or rename the other.");
    }

    private void Publish() => _state = new State([.. _resources.Values], [.. _diagnostics.Values.SelectMany(d => d)]);

    private sealed record State(IReadOnlyList<ConfigResource> Resources, IReadOnlyList<ConfigDiagnostic> Diagnostics);
}
