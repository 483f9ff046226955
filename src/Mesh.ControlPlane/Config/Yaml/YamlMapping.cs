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

    /// <summary>Puts another value in the place of one that is there, with the key that was written with it.</summary>
    public void Replace(YamlScalar key, YamlNode value)
    {
        // What the first value has cost stays counted: a text does not become cheaper by saying things twice.
        _entries[_index[key.Value]] = new YamlEntry(key, value);
        Grow(value);
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
