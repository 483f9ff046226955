namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Paths of fields as a tree; see <see cref="HonouredFields"/> for how they are written.</summary>
internal sealed class HonouredFieldSet
{
    private readonly Dictionary<string, HonouredFieldSet> _children = new(StringComparer.Ordinal);

    public HonouredFieldSet(params string[] lines)
    {
        foreach (var line in lines)
        {
            var equals = line.IndexOf('=');
            var node = this;
            foreach (var name in (equals < 0 ? line : line[..equals]).Split('.'))
            {
                if (name == "*")
                {
                    node.All = true;
                    break;
                }

                if (!node._children.TryGetValue(name, out var child))
                {
                    node._children.Add(name, child = new HonouredFieldSet());
                }

                node = child;
            }

            node.Values = equals < 0 ? null : line[(equals + 1)..].Split('|');
        }
    }

    /// <summary>Everything below is honoured.</summary>
    public bool All { get; private set; }

    /// <summary>The only honoured values; absent when all are.</summary>
    public IReadOnlyList<string>? Values { get; private set; }

    public IEnumerable<string> Names => _children.Keys;

    public HonouredFieldSet? Find(string jsonName) => _children.GetValueOrDefault(jsonName);
}
