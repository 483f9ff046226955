using Mesh.Xds.Grpc;

namespace Mesh.Xds.Certificates;

/// <summary>Who gives certificates to workloads: the authority of a control plane in this process, or one that is reached over gRPC.</summary>
internal interface ICertificateIssuer
{
    /// <summary>Where it is, for logs.</summary>
    string Target { get; }

    /// <summary>Has a certificate issued for the key of a request. The identity is the one that the caller proves, whatever the request says.</summary>
    /// <param name="request">The request and how long the certificate shall be valid.</param>
    /// <param name="caller">What the caller proves its identity with.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">
    /// UNAUTHENTICATED: the caller proves nothing; PERMISSION_DENIED: it may not have this identity; INVALID_ARGUMENT: the request is refused;
    /// UNAVAILABLE: the authority cannot be reached, or cannot sign now.
    /// </exception>
    Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken);
}
