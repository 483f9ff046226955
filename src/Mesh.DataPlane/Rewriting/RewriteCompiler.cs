using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Client;
using EnvoyHost = Envoy.Config.Route.V3.RouteAction.HostRewriteSpecifierOneofCase;

namespace Mesh.DataPlane.Rewriting;

/// <summary>Compiles what a route action rewrites.</summary>
internal static class RewriteCompiler
{
    public static Rewrite? Compile(RouteAction action, string path, ICollection<string> notes)
    {
        var rewrite = new Rewrite(CompilePath(action, path, notes), CompileHost(action, path, notes), action.AppendXForwardedHost);
        if (action.AppendXForwardedHost && rewrite.Host is null)
        {
            throw new ResourceRejectedException(path + ".append_x_forwarded_host", "must not be set without a host rewrite");
        }

        return rewrite is { Path: null, Host: null } ? null : rewrite;
    }

    public static (Re2Pattern Pattern, Re2Substitution Substitution) Regex(RegexMatchAndSubstitute message, string path)
    {
        var pattern = MatcherCompiler.Regex(message.Pattern ?? throw new ResourceRejectedException(path + ".pattern", "must be set"), path + ".pattern");
        CheckText(message.Substitution, path + ".substitution");
        try
        {
            return (pattern, pattern.ParseSubstitution(message.Substitution));
        }
        catch (Re2SyntaxException e)
        {
            throw new ResourceRejectedException(path + ".substitution", e.Message);
        }
    }

    /// <summary>A literal that becomes part of a request line or of a Host header.</summary>
    public static string Target(string text, string path, bool allowFragment = false)
    {
        CheckText(text, path);
        return text.Contains(' ') || (text.Contains('#') && !allowFragment)
            ? throw new ResourceRejectedException(path, $"'{text}' cannot be part of a request line: write a space as %20 and leave fragments to redirects")
            : text;
    }

    public static string Authority(string text, string path)
        => RequestTarget.IsAuthority(text) ? text : throw new ResourceRejectedException(path, $"'{Printable(text)}' is no authority: a host name or address, and a port where it is not the scheme's");

    private static PathRewrite? CompilePath(RouteAction action, string path, ICollection<string> notes)
    {
        if (action.PathRewritePolicy is not null)
        {
            throw new ResourceRejectedException(path + ".path_rewrite_policy", "is not supported by this data plane; use prefix_rewrite, regex_rewrite or path_rewrite");
        }

        var set = (action.PrefixRewrite.Length > 0 ? 1 : 0) + (action.RegexRewrite is not null ? 1 : 0) + (action.PathRewrite.Length > 0 ? 1 : 0);
        if (set > 1)
        {
            throw new ResourceRejectedException(path, "only one of prefix_rewrite, regex_rewrite and path_rewrite may be set");
        }

        if (action.PrefixRewrite.Length > 0)
        {
            return new PathRewrite.Prefix(Target(action.PrefixRewrite, path + ".prefix_rewrite"));
        }

        if (action.RegexRewrite is { } regex)
        {
            var (pattern, substitution) = Regex(regex, path + ".regex_rewrite");
            return new PathRewrite.Regex(pattern, substitution);
        }

        return action.PathRewrite.Length > 0
            ? new PathRewrite.Format(HeaderMutationsCompiler.Format(action.PathRewrite, omitEmptyValues: true, path + ".path_rewrite", notes))
            : null;
    }

    private static HostRewrite? CompileHost(RouteAction action, string path, ICollection<string> notes)
    {
        switch (action.HostRewriteSpecifierCase)
        {
            case EnvoyHost.HostRewriteLiteral when action.HostRewriteLiteral.Length > 0:
                return new HostRewrite.Literal(Authority(action.HostRewriteLiteral, path + ".host_rewrite_literal"));
            case EnvoyHost.AutoHostRewrite when action.AutoHostRewrite == true:
                return HostRewrite.OfEndpoint;
            case EnvoyHost.HostRewriteHeader when action.HostRewriteHeader.Length > 0:
                return HeaderName.IsValid(action.HostRewriteHeader)
                    ? new HostRewrite.Header(new HeaderName(action.HostRewriteHeader))
                    : throw new ResourceRejectedException(path + ".host_rewrite_header", $"'{Printable(action.HostRewriteHeader)}' is no header name");
            case EnvoyHost.HostRewritePathRegex:
                var (pattern, substitution) = Regex(action.HostRewritePathRegex, path + ".host_rewrite_path_regex");
                return new HostRewrite.PathRegex(pattern, substitution);
            case EnvoyHost.HostRewrite when action.HostRewrite.Length > 0:
                return new HostRewrite.Format(HeaderMutationsCompiler.Format(action.HostRewrite, omitEmptyValues: false, path + ".host_rewrite", notes));
            default:
                return null;
        }
    }

    private static void CheckText(string text, string path)
    {
        if (!HeaderValues.IsSafe(text) || text.Contains('\t'))
        {
            throw new ResourceRejectedException(path, "must not contain CR, LF, NUL or another control character");
        }
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
