using System.Globalization;
using System.Net;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Rewriting;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Redirects;

/// <summary>Envoy's <c>RedirectAction</c>, compiled: answers with another address for the caller to go to.</summary>
internal sealed class Redirect
{
    /// <summary>What <c>require_tls</c> answers: the same over HTTPS.</summary>
    public static Redirect ToHttps { get; } = new() { Scheme = "https", KeepsAuthority = true };

    public HttpStatusCode Status { get; init; } = HttpStatusCode.MovedPermanently;

    /// <summary><see langword="null"/> for the request's own, as are <see cref="Host"/> and <see cref="Port"/>.</summary>
    public string? Scheme { get; init; }

    public string? Host { get; init; }

    public uint? Port { get; init; }

    /// <summary>Replaces the path; one with a query of its own replaces that too.</summary>
    public string? Path { get; init; }

    /// <summary>Replaces a part of the path.</summary>
    public PathRewrite? Rewrite { get; init; }

    public bool StripQuery { get; init; }

    /// <summary>The authority is repeated to the letter, its port included.</summary>
    public bool KeepsAuthority { get; init; }

    /// <summary>The address to go to; <see langword="null"/> when it could not stand in a header.</summary>
    public string? Location(string authority, string scheme, string pathAndQuery, PathMatch? matched, in FormatContext context)
    {
        var newScheme = Scheme ?? scheme;
        var host = Host ?? (KeepsAuthority ? authority : WithoutPort(authority, scheme, newScheme));
        var port = Port is { } number ? ":" + number.ToString(CultureInfo.InvariantCulture) : "";
        var path = NewPath(pathAndQuery, matched, context);
        return RequestTarget.IsAuthority(host) && RequestTarget.Redirectable(path) is { } sendable ? $"{newScheme}://{host}{port}{sendable}" : null;
    }

    private string NewPath(string pathAndQuery, PathMatch? matched, in FormatContext context)
    {
        var target = Rewrite?.Rewrite(pathAndQuery, matched!, context) ?? pathAndQuery;
        var ownQuery = Path?.Contains('?') == true;
        if (Path is not null)
        {
            target = ownQuery || target.IndexOf('?') is not (>= 0 and var query) ? Path : string.Concat(Path, target.AsSpan(query));
        }

        if (!target.StartsWith('/'))
        {
            target = "/" + target;
        }

        return StripQuery && !ownQuery && target.IndexOf('?') is >= 0 and var end ? target[..end] : target;
    }

    // A port that is set replaces the request's; another scheme leaves out the default port of the old one.
    private string WithoutPort(string authority, string scheme, string newScheme)
    {
        var start = RequestTarget.PortStart(authority);
        var leaveOut = Port is not null
            || (newScheme != scheme && (scheme, authority[start..]) is ("https", ":443") or ("http", ":80"));
        return leaveOut ? authority[..start] : authority;
    }
}
