namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>
/// Where the fields of a document are written. It keeps the text that the file shares and composes it again when it is asked,
/// because errors are rare and a place for each of a hundred thousand fields is not.
/// </summary>
internal sealed class SourceMap
{
    private readonly ReadOnlyMemory<char> _text;
    private readonly int _firstLine;
    private readonly string _prefix;
    private readonly YamlLimits _limits;
    private readonly string _at;
    private readonly WeakReference<YamlNode?> _root = new(null);

    /// <param name="document">The document.</param>
    /// <param name="prefix">Where the object is in it: empty, or <c>items[3]</c> in a <c>List</c>.</param>
    /// <param name="limits">The limits it was composed with.</param>
    /// <param name="at">The path under which the document stands in another, as the text in a ConfigMap does: all paths begin with it.</param>
    public SourceMap(YamlDocument document, string prefix, YamlLimits limits, string at = "")
    {
        _at = at;
        _text = document.Text;
        _firstLine = document.FirstLine;
        _prefix = prefix;
        _limits = limits;
    }

    /// <summary>
    /// The line and column, from 1, of a path such as <c>spec.http[0].route[1].weight</c>; the nearest enclosing place when the field
    /// is not written.
    /// </summary>
    public (int Line, int Column) Locate(string path)
    {
        if (RootNode() is not { } root)
        {
            return (_firstLine, 1);
        }

        var place = YamlPath.Find(root, Within(path));
        return (place.Line + _firstLine - 1, place.Column);
    }

    /// <summary>Whether the author wrote a field, be it with the value that it has anyway.</summary>
    public bool IsWritten(string path) => RootNode() is { } root && YamlPath.IsWritten(root, Within(path));

    /// <summary>Whether every field is written at the same line and column.</summary>
    public bool SamePlaces(SourceMap other)
        => _firstLine == other._firstLine && _at == other._at && _prefix == other._prefix && _text.Span.SequenceEqual(other._text.Span);

    private YamlNode? RootNode()
    {
        if (!_root.TryGetTarget(out var root) || root is null)
        {
            var composed = YamlComposer.Compose(_text.ToString(), _limits);
            if (composed.Documents.Count == 0)
            {
                return null;
            }

            root = composed.Documents[0].Root;
            _root.SetTarget(root);
        }

        return root;
    }

    /// <summary>The path in the text that it is written in.</summary>
    private string Within(string path)
    {
        if (_at.Length > 0)
        {
            path = path.StartsWith(_at, StringComparison.Ordinal) ? path[_at.Length..].TrimStart('.') : "";
        }

        return _prefix.Length == 0 ? path : path.Length == 0 ? _prefix : path[0] == '[' ? _prefix + path : $"{_prefix}.{path}";
    }
}
