namespace Mesh.ControlPlane.Config.Yaml;

internal sealed class YamlMapping(int line, int column) : YamlNode(line, column)
{
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly List<YamlEntry> _entries = [];

    public IReadOnlyList<YamlEntry> Entries => _entries;

    /// <summary>Adds an entry unless the key is there already; then <paramref name="first"/> is the earlier one.</summary>
    public bool TryAdd(YamlScalar key, YamlNode value, out YamlEntry first)
    {
        if (_index.TryGetValue(key.Value, out var at))
        {
            first = _entries[at];
            return false;
        }

        _index.Add(key.Value, _entries.Count);
        _entries.Add(new YamlEntry(key, value));
        Grow(value);
        Size++;
        first = default;
        return true;
    }

    public bool TryGet(string key, out YamlEntry entry)
    {
        if (_index.TryGetValue(key, out var at))
        {
            entry = _entries[at];
            return true;
        }

        entry = default;
        return false;
    }

    public override string Describe() => "a mapping";
}
