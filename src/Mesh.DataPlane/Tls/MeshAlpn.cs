namespace Mesh.DataPlane.Tls;

/// <summary>The names of protocols (ALPN) by which proxies of a mesh know each other's connections from an application's own TLS (Istio's).</summary>
internal static class MeshAlpn
{
    /// <summary>Whatever comes: the first bytes say what it is.</summary>
    public const string Any = "istio";

    public const string Http10 = "istio-http/1.0";

    public const string Http11 = "istio-http/1.1";

    public const string Http2 = "istio-h2";

    /// <summary>Opaque bytes after an exchange of metadata, which is not spoken here: a proxy that was offered it would begin with its own.</summary>
    public const string PeerExchange = "istio-peer-exchange";

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
