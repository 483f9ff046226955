using System.Globalization;

namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>A path of a field, built on the way down and written only when there is something to tell: <c>spec.http[0].route[1].weight</c>.</summary>
internal sealed class YamlPath
{
    private readonly YamlPath? _parent;
    private readonly string? _name;
    private readonly int _index;

    private YamlPath(YamlPath? parent, string? name, int index)
    {
        _parent = parent;
        _name = name;
        _index = index;
    }

    public static YamlPath Root { get; } = new(null, null, 0);

    public YamlPath Key(string name) => new(this, name, 0);

    public YamlPath Item(int index) => new(this, null, index);

    /// <summary><c>path.key</c>, or <c>path["a.key"]</c> where the key is no plain word.</summary>
    public static string Append(string path, string key)
        => key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '/')
            ? path.Length == 0 ? key : $"{path}.{key}"
            : $"{path}[\"{key}\"]";

    public static string Append(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    /// <summary>
    /// The place of a path in a document: the value of a field that is a scalar, the key of one that is not, and the nearest
    /// enclosing place of what is not written.
    /// </summary>
    public static YamlNode Find(YamlNode root, string path) => Walk(root, path, out _);

    /// <summary>Whether the author wrote the field, be it with the value that it has anyway.</summary>
    public static bool IsWritten(YamlNode root, string path)
    {
        Walk(root, path, out var end);
        return end is not (null or YamlScalar { IsNull: true });
    }

    /// <summary>Goes down a path as far as it is written; <paramref name="end"/> is what stands at its end.</summary>
    private static YamlNode Walk(YamlNode root, string path, out YamlNode? end)
    {
        end = null;
        var node = root;
        var place = root;
        var rest = path.AsSpan();
        while (!rest.IsEmpty)
        {
            var (segment, quoted) = Next(ref rest);
            if (!quoted && segment.StartsWith('[') && node is YamlSequence sequence)
            {
                if (!int.TryParse(segment.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= sequence.Items.Count)
                {
                    return place;
                }

                place = node = sequence.Items[index];
            }
            else if (node is YamlMapping mapping && Lookup(mapping, segment) is { } entry)
            {
                node = entry.Value;
                place = node is YamlScalar { IsNull: false } ? node : entry.Key;
            }
            else
            {
                return place;
            }
        }

        end = node;
        return place;
    }

    public override string ToString()
    {
        if (_parent is null)
        {
            return "";
        }

        var path = _parent.ToString();
        return _name is null ? Append(path, _index) : Append(path, _name);
    }

    private static (string Segment, bool Quoted) Next(ref ReadOnlySpan<char> rest)
    {
        if (rest.StartsWith("[\""))
        {
            var close = rest.IndexOf("\"]");
            var key = close < 0 ? rest[2..] : rest[2..close];
            rest = close < 0 ? [] : rest[(close + 2)..].TrimStart('.');
            return (key.ToString(), true);
        }

        if (rest[0] == '[')
        {
            var close = rest.IndexOf(']');
            var index = close < 0 ? rest : rest[..close];
            rest = close < 0 ? [] : rest[(close + 1)..].TrimStart('.');
            return (index.ToString(), false);
        }

        var end = rest.IndexOfAny('.', '[');
        var name = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[end] == '.' ? rest[(end + 1)..] : rest[end..];
        return (name.ToString(), false);
    }

    private static YamlEntry? Lookup(YamlMapping mapping, string name)
    {
        if (mapping.TryGet(name, out var entry))
        {
            return entry;
        }

        // Paths carry JSON names; the author may have written the proto name.
        foreach (var candidate in mapping.Entries)
        {
            if (candidate.Key.Value.Replace("_", "", StringComparison.Ordinal).Equals(name.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }
        }

        return null;
    }
}
