using System.Net;

namespace Mesh.DataPlane.Upstream;

/// <summary>Whether the caller itself asks for TLS.</summary>
internal static class RequestScheme
{
    public static bool IsSecure(Uri uri) => ReferenceEquals(uri.Scheme, Uri.UriSchemeHttps) || uri.Scheme is "https" or "wss";

    /// <summary>As matchers and logs see it. A WebSocket is a request like any other to Envoy; .NET tells it by its URI.</summary>
    public static string Of(Uri uri)
        => uri.Scheme switch
        {
            "ws" => Uri.UriSchemeHttp,
            "wss" => Uri.UriSchemeHttps,
            var other => other,
        };

    /// <summary>
    /// The version of a secure request is the caller's, negotiated in its own handshake; but HTTP/3 would go round the endpoint's connections, and
    /// so would what may be higher.
    /// </summary>
    public static void UseCallersVersion(HttpRequestMessage request)
    {
        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher)
        {
            request.VersionPolicy = request.Version.Major >= 2 ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower;
            request.Version = HttpVersion.Version20;
        }
        else if (request.Version.Major > 2)
        {
            request.Version = HttpVersion.Version20;
        }
    }
}
