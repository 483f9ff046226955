using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Xds.Certificates;

/// <summary>What a caller of the control plane proves its identity with. Nothing in it is believed before it was checked.</summary>
internal sealed record CallerCredentials
{
    /// <summary>A caller that shows nothing.</summary>
    public static CallerCredentials None { get; } = new();

    /// <summary>The token of <c>authorization: Bearer</c>: a join token or a service account's JWT; never logged.</summary>
    public string? BearerToken { get; init; }

    /// <summary>The certificate with which the caller made its TLS connection; its key is proven, its chain is not yet.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>What came with <see cref="Certificate"/>.</summary>
    public IReadOnlyList<X509Certificate2> CertificateChain { get; init; } = [];

    /// <summary>Set by code in the control plane's own process only, which nothing separates from the authority's key: the account that it runs as.</summary>
    public (string Namespace, string ServiceAccount)? InProcess { get; init; }

    /// <summary>The user at the other end of a Unix socket, as the system tells (<c>SO_PEERCRED</c>).</summary>
    public uint? UserId { get; init; }

    /// <summary>Where the caller is; <see langword="null"/> in this process and on Unix sockets.</summary>
    public EndPoint? Remote { get; init; }

    /// <summary>Does not tell the token.</summary>
    public override string ToString()
        => $"{(BearerToken is null ? "" : "token ")}{(Certificate is null ? "" : "certificate ")}{(InProcess is var (ns, account) ? $"in process {ns}/{account} " : "")}from {Remote}";
}
