using System.Security.Cryptography.X509Certificates;

namespace Mesh.Identity;

/// <summary>
/// Who sent a request, as far as the mesh has made sure of it: <c>context.Features.Get&lt;IMeshPeerFeature&gt;()</c>. It is there for each request that
/// came in by a port of the mesh, and says nothing of a peer that has proven nothing.
/// </summary>
public interface IMeshPeerFeature
{
    /// <summary>The identity that the peer has proven by its certificate (Istio's <c>source.principal</c>); <see langword="null"/> when it has proven none.</summary>
    SpiffeId? Identity { get; }

    /// <summary>Whether the connection is encrypted and the peer has shown a certificate that is trusted.</summary>
    bool IsMutualTls { get; }

    /// <summary>The peer's certificate; <see langword="null"/> when it has shown none that is trusted.</summary>
    X509Certificate2? Certificate { get; }

    /// <summary>The issuer and subject of the request's token, as <c>issuer/subject</c> (Istio's <c>request.auth.principal</c>); <see langword="null"/> when no token was verified.</summary>
    string? RequestPrincipal { get; }
}
