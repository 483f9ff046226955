namespace Mesh.ControlPlane.Config.Yaml;

internal sealed class YamlSequence(int line, int column) : YamlNode(line, column)
{
    private readonly List<YamlNode> _items = [];

    public IReadOnlyList<YamlNode> Items => _items;

    public void Add(YamlNode item)
    {
        _items.Add(item);
        Grow(item);
    }

    public override string Describe() => "a list";
}
