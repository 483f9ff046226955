using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Rewriting;

/// <summary>Another authority for a request.</summary>
internal abstract class HostRewrite
{
    /// <summary>The endpoint's own hostname, which is known when it has been picked (<c>auto_host_rewrite</c>).</summary>
    public static HostRewrite OfEndpoint { get; } = new Endpoint();

    /// <summary>The new authority, not yet held to what one may be; <see langword="null"/> or empty when the request keeps its own.</summary>
    public abstract string? Rewrite(in FormatContext context);

    internal sealed class Literal(string authority) : HostRewrite
    {
        public override string? Rewrite(in FormatContext context) => authority;
    }

    /// <summary>The first value of a request header.</summary>
    internal sealed class Header(HeaderName name) : HostRewrite
    {
        public override string? Rewrite(in FormatContext context) => context.RequestHeader(name);
    }

    /// <summary>Made from the path, without its query.</summary>
    internal sealed class PathRegex(Re2Pattern pattern, Re2Substitution substitution) : HostRewrite
    {
        public override string? Rewrite(in FormatContext context)
        {
            var target = context.PathAndQuery ?? "";
            return pattern.Replace(target.AsSpan().IndexOfAny('?', '#') is >= 0 and var end ? target[..end] : target, substitution);
        }
    }

    internal sealed class Format(SubstitutionFormat format) : HostRewrite
    {
        public override string? Rewrite(in FormatContext context) => format.Render(context);
    }

    private sealed class Endpoint : HostRewrite
    {
        public override string? Rewrite(in FormatContext context)
            => context.Endpoint is { Resource.Hostname: { Length: > 0 } name } ? name : null;
    }
}
