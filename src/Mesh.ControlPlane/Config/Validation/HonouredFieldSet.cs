namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Paths of fields as a tree; see <see cref="HonouredFields"/> for how they are written.</summary>
internal sealed class HonouredFieldSet
{
    private const string Arrow = " -> ";

    private readonly Dictionary<string, HonouredFieldSet> _children = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _instead = new(StringComparer.Ordinal);

    public HonouredFieldSet(params string[] lines)
    {
        foreach (var line in lines)
        {
            if (line.IndexOf(Arrow, StringComparison.Ordinal) is > 0 and var arrow)
            {
                var dot = line.LastIndexOf('.', arrow);
                (dot < 0 ? this : At(line[..dot]))._instead[line[(dot + 1)..arrow]] = line[(arrow + Arrow.Length)..];
                continue;
            }

            var equals = line.IndexOf('=');
            At(equals < 0 ? line : line[..equals]).Values = equals < 0 ? null : line[(equals + 1)..].Split('|');
        }
    }

    /// <summary>Everything below is honoured.</summary>
    public bool All { get; private set; }

    /// <summary>The only honoured values; absent when all are.</summary>
    public IReadOnlyList<string>? Values { get; private set; }

    public IEnumerable<string> Names => _children.Keys;

    /// <summary>What to write in the place of a field that is not honoured, where there is something.</summary>
    public string? InsteadOf(string jsonName) => _instead.GetValueOrDefault(jsonName);

    public HonouredFieldSet? Find(string jsonName) => _children.GetValueOrDefault(jsonName);

    /// <summary>The node of a path, which is made where there is none.</summary>
    private HonouredFieldSet At(string path)
    {
        var node = this;
        foreach (var name in path.Split('.'))
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

        return node;
    }
}
