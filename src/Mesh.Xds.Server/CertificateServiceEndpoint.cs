using Istio.V1.Auth;
using Mesh.Xds.Certificates;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Routing;

namespace Mesh.Xds.Server;

/// <summary>Istio's <c>IstioCertificateService</c> over the authority of this process.</summary>
internal static class CertificateServiceEndpoint
{
    private const string Begin = "-----BEGIN CERTIFICATE-----";

    public static void Map(IEndpointRouteBuilder endpoints, ICertificateIssuer issuer) => endpoints.MapGrpcUnary<IstioCertificateRequest, IstioCertificateResponse>(
        GrpcCertificateIssuer.CreateCertificatePath,
        IstioCertificateRequest.Parser,
        async (request, context, cancellationToken) =>
        {
            // What is no PEM is refused where all else is, and written down.
            var csr = CertificateSigningRequest.Decode(request.Csr);
            var validity = request.ValidityDuration > 0 ? TimeSpan.FromSeconds(Math.Min(request.ValidityDuration, (long)TimeSpan.FromDays(36500).TotalSeconds)) : (TimeSpan?)null;
            var issued = await issuer.IssueAsync(new CertificateSigningRequest(csr, validity), HttpCaller.CredentialsOf(context), cancellationToken);

            // As istiod: one entry a certificate, the last one holds the roots.
            return new IstioCertificateResponse { CertChain = { Split(issued.Chain), issued.Roots } };
        });

    private static IEnumerable<string> Split(string pem)
        => pem.Split(Begin, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(body => $"{Begin}\n{body}\n");
}
