namespace Mesh.DataPlane.Tls;

/// <summary>The names of protocols (ALPN) by which proxies of a mesh know each other's connections from an application's own TLS (Istio's).</summary>
internal static class MeshAlpn
{
    /// <summary>Whatever comes: the first bytes say what it is.</summary>
    public const string Any = "istio";

    public const string Http10 = "istio-http/1.0";

    public const string Http11 = "istio-http/1.1";

    public const string Http2 = "istio-h2";

    /// <summary>HTTP/1.1 after an <see cref="Telemetry.Peers.Introduction"/>, which clients and servers of this mesh agree upon among themselves.</summary>
    public const string IntroducedHttp11 = "mesh-http/1.1";

    /// <summary>HTTP/2 after an <see cref="Telemetry.Peers.Introduction"/>.</summary>
    public const string IntroducedHttp2 = "mesh-h2";

    /// <summary>Opaque bytes after an exchange of metadata, which is not spoken here: a proxy that was offered it would begin with its own.</summary>
    public const string PeerExchange = "istio-peer-exchange";

    /// <summary>Whether the client begins with its introduction.</summary>
    public static bool IsIntroduced(ReadOnlySpan<byte> protocol) => protocol.SequenceEqual("mesh-http/1.1"u8) || protocol.SequenceEqual("mesh-h2"u8);

    /// <summary>The one that begins with an introduction, of those that a client offers; <see langword="null"/> when it offers none.</summary>
    public static string? Introduced(IReadOnlyList<string> offered)
        => offered.Contains(IntroducedHttp2) ? IntroducedHttp2 : offered.Contains(IntroducedHttp11) ? IntroducedHttp11 : null;

    /// <summary>What of a cluster's list can be offered.</summary>
    public static IReadOnlyList<string> Spoken(IReadOnlyList<string> protocols, string path, ICollection<string> notes)
    {
        if (!protocols.Contains(PeerExchange))
        {
            return [.. protocols];
        }

        notes.Add($"{path}: {PeerExchange} is not offered, its exchange of metadata is not spoken");
        return [.. protocols.Where(p => p != PeerExchange)];
    }
}
