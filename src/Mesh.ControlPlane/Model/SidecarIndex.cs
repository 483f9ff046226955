namespace Mesh.ControlPlane.Model;

/// <summary>
/// Which Sidecars a client is under: one that selects its labels, its namespace's default, the root namespace's default, in this order.
/// Of several for the same the oldest counts.
/// </summary>
internal sealed class SidecarIndex
{
    private readonly Dictionary<string, List<SidecarRule>> _selecting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SidecarRule> _defaults = new(StringComparer.Ordinal);
    private readonly string _rootNamespace;

    /// <param name="rules">Every Sidecar, in any order.</param>
    /// <param name="rootNamespace">The namespace whose default is for clients everywhere.</param>
    public SidecarIndex(IEnumerable<SidecarRule> rules, string rootNamespace)
    {
        _rootNamespace = rootNamespace;
        Rules = [.. rules.OrderBy(rule => rule.Source, OldestFirst.Instance)];
        foreach (var rule in Rules)
        {
            if (rule.Selector is null)
            {
                _defaults.TryAdd(rule.Source.Namespace, rule);
            }
            else if (_selecting.TryGetValue(rule.Source.Namespace, out var selecting))
            {
                selecting.Add(rule);
            }
            else
            {
                _selecting.Add(rule.Source.Namespace, [rule]);
            }
        }
    }

    public static SidecarIndex Empty { get; } = new([], "");

    /// <summary>All of them, the oldest first.</summary>
    public IReadOnlyList<SidecarRule> Rules { get; }

    /// <summary>The namespace's default.</summary>
    public SidecarRule? DefaultOf(string @namespace) => _defaults.GetValueOrDefault(@namespace);

    /// <summary>The Sidecars that select these labels, the oldest first: that one counts.</summary>
    public IEnumerable<SidecarRule> Selecting(string @namespace, IReadOnlyDictionary<string, string> labels)
        => _selecting.TryGetValue(@namespace, out var rules) ? rules.Where(rule => rule.Selects(labels)) : [];

    /// <summary>The Sidecar that counts for these labels before any default.</summary>
    public SidecarRule? FindSelecting(string @namespace, IReadOnlyDictionary<string, string> labels)
    {
        if (_selecting.TryGetValue(@namespace, out var rules))
        {
            foreach (var rule in rules)
            {
                if (rule.Selects(labels))
                {
                    return rule;
                }
            }
        }

        return null;
    }

    /// <summary>What a client is under, the nearest first: what one does not say is taken from the next.</summary>
    /// <param name="namespace">The client's namespace.</param>
    /// <param name="selecting">The Sidecar that selects it.</param>
    public IReadOnlyList<SidecarRule> ChainOf(string @namespace, SidecarRule? selecting)
        => [.. new[] { selecting, DefaultOf(@namespace), DefaultOf(_rootNamespace) }.OfType<SidecarRule>().Distinct()];
}
