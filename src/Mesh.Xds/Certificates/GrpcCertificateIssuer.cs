using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Istio.V1.Auth;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Certificates;

/// <summary>Istio's certificate service over gRPC. A caller's certificate is that of the channel; what is proven per call is its token.</summary>
/// <param name="channel">The channel to the authority; the caller keeps it.</param>
/// <param name="target">Where the channel leads, for logs.</param>
/// <param name="timeout">How long one call may take.</param>
internal sealed class GrpcCertificateIssuer(GrpcChannel channel, string target, TimeSpan timeout) : ICertificateIssuer
{
    /// <summary>The path of the method on the wire.</summary>
    public const string CreateCertificatePath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    private static readonly GrpcMethod<IstioCertificateRequest, IstioCertificateResponse> _createCertificate = new(CreateCertificatePath, IstioCertificateResponse.Parser);

    public string Target => target;

    public async Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken)
    {
        var metadata = new GrpcMetadata();
        if (caller.BearerToken is { } token)
        {
            metadata.Add("authorization", "Bearer " + token);
        }

        var response = await channel.UnaryAsync(
            _createCertificate,
            new IstioCertificateRequest
            {
                Csr = PemEncoding.WriteString("CERTIFICATE REQUEST", request.Csr.Span),
                ValidityDuration = request.Validity is { } validity ? (long)validity.TotalSeconds : 0,
            },
            new GrpcCallOptions(timeout, metadata),
            cancellationToken);
        return Read(response);
    }

    /// <summary>The last entry holds the roots, those before it the chain, leaf first.</summary>
    /// <exception cref="RpcException">The answer is no chain.</exception>
    private static IssuedCertificate Read(IstioCertificateResponse response)
    {
        if (response.CertChain.Count < 2)
        {
            throw new RpcException(StatusCode.Internal,
                string.Create(CultureInfo.InvariantCulture, $"the authority answered with {response.CertChain.Count} certificates; a certificate and its root are the least"));
        }

        var chain = new StringBuilder();
        foreach (var certificate in response.CertChain.Take(response.CertChain.Count - 1))
        {
            chain.Append(certificate.TrimEnd()).Append('\n');
        }

        return new IssuedCertificate(chain.ToString(), response.CertChain[^1]);
    }
}
