namespace Mesh.DataPlane.Tls;

/// <summary>Whom a peer's certificate must be signed by.</summary>
internal enum TrustMode
{
    /// <summary>Any of the system's authorities.</summary>
    System,

    /// <summary>Any of the given ones.</summary>
    Given,

    /// <summary>Any of those of the trust domain that the certificate is for.</summary>
    Spiffe,

    /// <summary>Nobody in particular: the certificate or its key is known.</summary>
    Pinned,

    /// <summary>Nobody: whoever answers is believed (<c>ACCEPT_UNTRUSTED</c>).</summary>
    Anybody,
}
