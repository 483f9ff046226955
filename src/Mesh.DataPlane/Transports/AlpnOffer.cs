using System.Net.Security;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>The protocols that a handshake offers, so that what is chosen is what will be spoken.</summary>
internal static class AlpnOffer
{
    private const string Http2 = "h2";
    private const string Http11 = "http/1.1";

    // What Istio's proxies say of themselves, for control planes that leave it to them.
    private static readonly IReadOnlyList<string> Mesh = [MeshAlpn.Http2, MeshAlpn.Http11, MeshAlpn.Any];
    private static readonly IReadOnlyList<string> Bytes = [MeshAlpn.Any];

    private static readonly IReadOnlyList<SslApplicationProtocol> OnlyHttp2 = [SslApplicationProtocol.Http2];
    private static readonly IReadOnlyList<SslApplicationProtocol> Both = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    /// <summary>For a cluster that speaks TLS: its own list, without what is not spoken; else what the protocol needs.</summary>
    public static IReadOnlyList<string> Of(UpstreamTls tls, UpstreamProtocol protocol, HttpRequestMessage request)
    {
        var speaksHttp2 = protocol == UpstreamProtocol.Downstream ? request.Version.Major >= 2 : protocol != UpstreamProtocol.Http11;
        var speaksHttp11 = protocol == UpstreamProtocol.Downstream ? request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower || !speaksHttp2 : protocol != UpstreamProtocol.Http2;
        var isMesh = tls is { IsMesh: true, ApplicationProtocols.Count: 0 };
        List<string> offered =
        [
            .. (isMesh ? Mesh : tls.ApplicationProtocols).Where(p => p switch
            {
                Http2 => speaksHttp2,

                // Where the handshake decides, the handler knows HTTP/2 by its own name only.
                MeshAlpn.Http2 => speaksHttp2 && !speaksHttp11,
                Http11 or MeshAlpn.Http11 or MeshAlpn.Http10 => speaksHttp11,
                _ => true,
            }),
        ];
        if (speaksHttp2 && !offered.Contains(Http2))
        {
            offered.Insert(offered.Contains(MeshAlpn.Http2) ? offered.Count : 0, Http2);
        }

        if (speaksHttp11 && (speaksHttp2 || isMesh) && !offered.Contains(Http11))
        {
            offered.Add(Http11);
        }

        return offered;
    }

    /// <summary>The name by which a connection for such a request begins with an introduction; <see langword="null"/> where only the handshake decides what is spoken.</summary>
    public static string? Introduced(UpstreamProtocol protocol, HttpRequestMessage request)
        => protocol switch
        {
            UpstreamProtocol.Http11 => MeshAlpn.IntroducedHttp11,
            UpstreamProtocol.Http2 => MeshAlpn.IntroducedHttp2,
            UpstreamProtocol.Downstream when request.Version.Major < 2 => MeshAlpn.IntroducedHttp11,
            UpstreamProtocol.Downstream when request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower => MeshAlpn.IntroducedHttp2,
            _ => null,
        };

    /// <summary>For connections that carry no requests.</summary>
    public static IReadOnlyList<string> OfBytes(UpstreamTls tls)
        => tls.ApplicationProtocols.Count == 0 && tls.IsMesh ? Bytes
            : [.. tls.ApplicationProtocols.Where(p => !tls.IsMesh || p is not (Http2 or Http11 or MeshAlpn.Http2 or MeshAlpn.Http11 or MeshAlpn.Http10))];

    /// <summary>Whether HTTP/2 is spoken without waiting for what the handshake says, and <c>:scheme</c> stays <c>http</c>.</summary>
    public static bool IsByPriorKnowledge(UpstreamTls tls, HttpRequestMessage request)
        => tls.IsMesh && request.Version.Major >= 2 && request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower;

    /// <summary>For a caller who speaks TLS: what <see cref="HttpClient"/> would offer for such a request.</summary>
    public static IReadOnlyList<SslApplicationProtocol> Of(HttpRequestMessage request)
        => request.Version.Major < 2 ? [] : request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower ? Both : OnlyHttp2;
}
