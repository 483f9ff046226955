using System.Net;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Rewriting;
using Mesh.Xds.Client;
using EnvoyCode = Envoy.Config.Route.V3.RedirectAction.Types.RedirectResponseCode;
using EnvoyPath = Envoy.Config.Route.V3.RedirectAction.PathRewriteSpecifierOneofCase;

namespace Mesh.DataPlane.Redirects;

/// <summary>Compiles redirects; an address that could not stand in a header is refused here.</summary>
internal static class RedirectCompiler
{
    public static Redirect Compile(RedirectAction action, string path, ICollection<string> notes)
    {
        if (action.PortRedirect > ushort.MaxValue)
        {
            throw new ResourceRejectedException(path + ".port_redirect", "must not exceed 65535");
        }

        return new Redirect
        {
            Status = Status(action.ResponseCode, path + ".response_code"),
            Scheme = action.SchemeRedirect.Length > 0 ? Scheme(action.SchemeRedirect, path + ".scheme_redirect") : action.HttpsRedirect ? "https" : null,
            Host = action.HostRedirect.Length > 0 ? RewriteCompiler.Authority(action.HostRedirect, path + ".host_redirect") : null,
            Port = action.PortRedirect == 0 ? null : action.PortRedirect,
            Path = action.PathRewriteSpecifierCase == EnvoyPath.PathRedirect && action.PathRedirect.Length > 0
                ? RewriteCompiler.Target(action.PathRedirect, path + ".path_redirect", allowFragment: true)
                : null,
            Rewrite = CompileRewrite(action, path, notes),
            StripQuery = action.StripQuery,
        };
    }

    private static PathRewrite? CompileRewrite(RedirectAction action, string path, ICollection<string> notes)
    {
        switch (action.PathRewriteSpecifierCase)
        {
            case EnvoyPath.PrefixRewrite when action.PrefixRewrite.Length > 0:
                return new PathRewrite.Prefix(RewriteCompiler.Target(action.PrefixRewrite, path + ".prefix_rewrite", allowFragment: true));
            case EnvoyPath.RegexRewrite:
                var (pattern, substitution) = RewriteCompiler.Regex(action.RegexRewrite, path + ".regex_rewrite");
                return new PathRewrite.Regex(pattern, substitution);
            case EnvoyPath.PathRewrite when action.PathRewrite.Length > 0:
                return new PathRewrite.Format(HeaderMutationsCompiler.Format(action.PathRewrite, omitEmptyValues: true, path + ".path_rewrite", notes));
            default:
                return null;
        }
    }

    private static HttpStatusCode Status(EnvoyCode code, string path)
        => code switch
        {
            EnvoyCode.MovedPermanently => HttpStatusCode.MovedPermanently,
            EnvoyCode.Found => HttpStatusCode.Found,
            EnvoyCode.SeeOther => HttpStatusCode.SeeOther,
            EnvoyCode.TemporaryRedirect => HttpStatusCode.TemporaryRedirect,
            EnvoyCode.PermanentRedirect => HttpStatusCode.PermanentRedirect,
            _ => throw new ResourceRejectedException(path, $"{code} is not a known value"),
        };

    private static string Scheme(string scheme, string path)
        => Uri.CheckSchemeName(scheme) ? scheme : throw new ResourceRejectedException(path, "must be a scheme, as in https");
}
