using System.Collections.Frozen;

namespace Mesh.ControlPlane.Config;

/// <summary>The names in a Secret that Istio reads: those of <c>kubectl create secret tls</c>, and its own older ones, which go first.</summary>
internal static class SecretKeys
{
    /// <summary>The type of a Secret that must have a certificate and a key.</summary>
    public const string TlsType = "kubernetes.io/tls";

    /// <summary>The certificate, its chain behind it, and the key to it.</summary>
    public static IReadOnlyList<(string Certificate, string Key)> Pairs { get; } = [("cert", "key"), ("tls.crt", "tls.key")];

    /// <summary>The authorities, and the list of what they have revoked.</summary>
    public static IReadOnlyList<(string Authorities, string Revoked)> Authorities { get; } = [("cacert", "crl"), ("ca.crt", "ca.crl")];

    public static FrozenSet<string> All { get; } = Pairs.SelectMany(pair => new[] { pair.Certificate, pair.Key })
        .Concat(Authorities.SelectMany(pair => new[] { pair.Authorities, pair.Revoked }))
        .ToFrozenSet(StringComparer.Ordinal);
}
