using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Routing;

/// <summary>The path condition of a route.</summary>
/// <param name="Kind">How the text is compared.</param>
/// <param name="Text">The path, the prefix or the pattern.</param>
/// <param name="CaseSensitive">Regular expressions are always compared as written.</param>
/// <param name="Pattern">The compiled pattern of <see cref="PathMatchKind.Regex"/>.</param>
internal sealed record PathMatch(PathMatchKind Kind, string Text, bool CaseSensitive, Re2Pattern? Pattern = null)
{
    public bool IsMatch(ReadOnlySpan<char> path)
        => Kind switch
        {
            PathMatchKind.Exact => path.Length == Text.Length && Same(path),
            PathMatchKind.Prefix => path.Length >= Text.Length && Same(path[..Text.Length]),
            PathMatchKind.PathSeparatedPrefix
                => path.Length >= Text.Length && Same(path[..Text.Length]) && (path.Length == Text.Length || path[Text.Length] == '/'),
            _ => Pattern!.IsFullMatch(path),
        };

    public override string ToString()
        => Kind switch
        {
            PathMatchKind.Exact => $"path is exactly '{Text}'",
            PathMatchKind.Prefix => $"path begins with '{Text}'",
            PathMatchKind.PathSeparatedPrefix => $"path is '{Text}' or below it",
            _ => $"path is a full match of '{Text}'",
        } + (CaseSensitive || Kind == PathMatchKind.Regex ? "" : " in any case");

    private bool Same(ReadOnlySpan<char> text) => CaseSensitive ? text.SequenceEqual(Text) : AsciiCase.Equals(text, Text);
}
