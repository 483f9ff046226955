using System.Text;

namespace Mesh.Xds.Validation;

/// <summary>The first broken rule; its path is put together on the way out, so that valid messages pay nothing for it.</summary>
internal sealed class Violation(string reason)
{
    private readonly List<string> _segments = [];

    public string Reason { get; } = reason;

    public string Path
    {
        get
        {
            var path = new StringBuilder();
            for (var i = _segments.Count - 1; i >= 0; i--)
            {
                if (path.Length > 0 && _segments[i][0] != '[')
                {
                    path.Append('.');
                }

                path.Append(_segments[i]);
            }

            return path.ToString();
        }
    }

    /// <summary>Adds the next outer part of the path: a field's name, or an index in brackets.</summary>
    public Violation Within(string segment)
    {
        _segments.Add(segment);
        return this;
    }
}
