using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching.Re2;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Rewriting;

/// <summary>Another path for a request. The query stays as it is.</summary>
internal abstract class PathRewrite
{
    /// <summary>The new target, before it is held to what a request line may carry; <see langword="null"/> when there is nothing to rewrite.</summary>
    public abstract string? Rewrite(string pathAndQuery, PathMatch matched, in FormatContext context);

    private static int PathLength(string pathAndQuery) => pathAndQuery.AsSpan().IndexOfAny('?', '#') is >= 0 and var end ? end : pathAndQuery.Length;

    /// <summary>What the route has matched gives way to a text, slashes and all: <c>/api</c> by <c>/</c> makes <c>/api/v1</c> into <c>//v1</c>.</summary>
    internal sealed class Prefix(string text) : PathRewrite
    {
        public override string? Rewrite(string pathAndQuery, PathMatch matched, in FormatContext context)
        {
            // A regular expression has matched the whole path. A filter may have changed the path after the match.
            var length = matched.Kind == PathMatchKind.Regex ? PathLength(pathAndQuery) : matched.Text.Length;
            return length <= pathAndQuery.Length ? string.Concat(text, pathAndQuery.AsSpan(length)) : null;
        }
    }

    /// <summary>Every match of a regular expression within the path gives way to the substitution.</summary>
    internal sealed class Regex(Re2Pattern pattern, Re2Substitution substitution) : PathRewrite
    {
        public override string? Rewrite(string pathAndQuery, PathMatch matched, in FormatContext context)
        {
            var length = PathLength(pathAndQuery);
            var path = pattern.Replace(pathAndQuery[..length], substitution);
            return path.Length == 0 ? null : string.Concat(path, pathAndQuery.AsSpan(length));
        }
    }

    /// <summary>The path is rendered.</summary>
    internal sealed class Format(SubstitutionFormat format) : PathRewrite
    {
        public override string? Rewrite(string pathAndQuery, PathMatch matched, in FormatContext context)
        {
            var path = format.Render(context);
            return path.Length == 0 ? null : string.Concat(path, pathAndQuery.AsSpan(PathLength(pathAndQuery)));
        }
    }
}
