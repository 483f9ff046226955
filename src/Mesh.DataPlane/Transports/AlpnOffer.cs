using System.Net.Security;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>The protocols that a handshake offers, so that what is chosen is what will be spoken.</summary>
internal static class AlpnOffer
{
    private const string Http2 = "h2";
    private const string Http11 = "http/1.1";

    private static readonly IReadOnlyList<SslApplicationProtocol> OnlyHttp2 = [SslApplicationProtocol.Http2];
    private static readonly IReadOnlyList<SslApplicationProtocol> Both = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    /// <summary>For a cluster that speaks TLS: its own list, without what is not spoken; else what the protocol needs.</summary>
    public static IReadOnlyList<string> Of(UpstreamTls tls, UpstreamProtocol protocol, HttpRequestMessage request)
    {
        var speaksHttp2 = protocol == UpstreamProtocol.Downstream ? request.Version.Major >= 2 : protocol != UpstreamProtocol.Http11;
        var speaksHttp11 = protocol == UpstreamProtocol.Downstream ? request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower || !speaksHttp2 : protocol != UpstreamProtocol.Http2;
        List<string> offered = [.. tls.ApplicationProtocols.Where(p => (p != Http2 || speaksHttp2) && (p != Http11 || speaksHttp11))];
        if (speaksHttp2 && !offered.Contains(Http2))
        {
            offered.Insert(0, Http2);
        }

        if (speaksHttp2 && speaksHttp11 && !offered.Contains(Http11))
        {
            offered.Add(Http11);
        }

        return offered;
    }

    /// <summary>For a caller who speaks TLS: what <see cref="HttpClient"/> would offer for such a request.</summary>
    public static IReadOnlyList<SslApplicationProtocol> Of(HttpRequestMessage request)
        => request.Version.Major < 2 ? [] : request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower ? Both : OnlyHttp2;
}
