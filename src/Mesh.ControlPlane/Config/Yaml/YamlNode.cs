namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>
/// A node of a document with the place where it is written. Aliases are references to the same node, so a document is a
/// graph without cycles; <see cref="Size"/> and <see cref="Height"/> are those of the tree it expands to.
/// </summary>
internal abstract class YamlNode(int line, int column)
{
    /// <summary>The line, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The column, from 1.</summary>
    public int Column { get; } = column;

    /// <summary>How many nodes this is when every alias is written out.</summary>
    public long Size { get; protected set; } = 1;

    /// <summary>How many levels are at and below this node.</summary>
    public int Height { get; protected set; } = 1;

    /// <summary>What an author would call it: <c>a list</c>, <c>a mapping</c>, <c>a number</c>.</summary>
    public abstract string Describe();

    protected void Grow(YamlNode child)
    {
        Size += child.Size;
        Height = Math.Max(Height, child.Height + 1);
    }
}
