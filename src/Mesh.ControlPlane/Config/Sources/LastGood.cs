namespace Mesh.ControlPlane.Config.Sources;

/// <summary>
/// The documents of one file that serve: the valid ones of the newest text, and of those that became invalid the last version
/// that was valid. A text that is broken half-way says nothing about what is missing in it.
/// </summary>
internal sealed class LastGood
{
    public IReadOnlyList<ConfigResource> Resources { get; private set; } = [];

    public IReadOnlyList<ConfigDiagnostic> Diagnostics { get; private set; } = [];

    public void Apply(ConfigText text)
    {
        Diagnostics = [.. text.Diagnostics];
        if (text.Broken is not null)
        {
            return;
        }

        var next = new List<ConfigResource>();
        var earlier = new Dictionary<(string, string, string), ConfigResource>();
        foreach (var resource in Resources)
        {
            earlier.TryAdd(resource.Key, resource);
        }

        // A document whose name could not be read may be any of the earlier ones.
        var unnamed = text.Documents.Any(d => d.Key is null && d.HasErrors);
        var seen = new HashSet<(string, string, string)>();
        foreach (var document in text.Documents)
        {
            if (document.Resource is { } resource)
            {
                next.Add(resource);
                seen.Add(resource.Key);
            }
            else if (document.HasErrors && document.Key is { } key && seen.Add(key) && earlier.TryGetValue(key, out var kept))
            {
                next.Add(kept);
            }
        }

        if (unnamed)
        {
            next.AddRange(Resources.Where(r => !seen.Contains(r.Key)));
        }

        Resources = next;
    }

    /// <summary>Keeps the documents and tells why nothing newer was read.</summary>
    public void Keep(ConfigDiagnostic reason) => Diagnostics = [reason];
}
