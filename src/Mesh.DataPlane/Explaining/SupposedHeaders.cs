using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Explaining;

/// <summary>The headers of a request that nobody sends.</summary>
internal sealed class SupposedHeaders : HeaderReader
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<KeyValuePair<string, List<string>>> All => _values.ToList();

    public void Add(string name, string value)
    {
        if (_values.TryGetValue(name, out var values))
        {
            values.Add(value);
        }
        else
        {
            _values[name] = [value];
        }
    }

    public bool Remove(string name) => _values.Remove(name);

    public string? Joined(string name) => _values.TryGetValue(name, out var values) ? string.Join(",", values) : null;

    public override bool TryGet(object carrier, HeaderName name, out ReadOnlySpan<char> value)
    {
        var joined = Joined(name.Value);
        value = joined;
        return joined is not null;
    }

    public override bool TryGetLine(object carrier, HeaderName name, int index, out ReadOnlySpan<char> line)
    {
        var found = _values.TryGetValue(name.Value, out var values) && index < values.Count;
        line = found ? values![index] : null;
        return found;
    }
}
