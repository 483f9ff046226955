using System.Security.Cryptography;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Explaining;

/// <summary>A certificate that this process shows, or the authorities by which it judges others; never a key.</summary>
/// <param name="Name">The secret's name: <c>default</c>, <c>ROOTCA</c>, or as the control plane calls it.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="CertChain">The certificate and the chain to its authority.</param>
/// <param name="CaCert">The authorities.</param>
/// <param name="Error">Why it cannot be used, or not be renewed; <see langword="null"/> when nothing is wrong.</param>
internal sealed record SecretDump(string Name, string Source, IReadOnlyList<CertificateDump> CertChain, IReadOnlyList<CertificateDump> CaCert, string? Error)
{
    // Authorities of a machine are hundreds; who looks wants those of the mesh.
    private const int MaxAuthorities = 100;

    /// <summary>The process's own identity, then what the control plane has sent.</summary>
    public static IReadOnlyList<SecretDump> Of(ISecretSource? identity, XdsClientStatus xds, TimeProvider time)
    {
        var secrets = new List<SecretDump>();
        if (identity is WorkloadIdentity own)
        {
            foreach (var name in (ReadOnlySpan<string>)[ISecretSource.Certificate, ISecretSource.Authorities])
            {
                var latest = own.Latest(name);
                secrets.Add(latest is null
                    ? new SecretDump(name, own.Status.Source, [], [], own.ErrorOf(name) ?? own.Status.LastError ?? "it has not come yet")
                    : Of(latest, own.Status.Source, time) with { Error = own.ErrorOf(name) });
            }
        }

        secrets.AddRange(xds.Resources.Where(r => r.TypeUrl == TypeUrls.Secret).Select(r => Of(r, xds.Server, time)));
        return secrets;
    }

    private static SecretDump Of(XdsResourceStatus resource, string server, TimeProvider time)
    {
        if (resource.Body is not { } body)
        {
            return new SecretDump(resource.Name, server, [], [], resource.Error ?? resource.State);
        }

        try
        {
            var message = Secret.Parser.ParseFrom(body);
            return Of(
                new SecretResource(
                    resource.Name,
                    message.TlsCertificate is { } certificate ? ClientCertificate.Compile(certificate, "tls_certificate") : null,
                    message.ValidationContext),
                server,
                time) with
            { Error = resource.Error };
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ResourceRejectedException)
        {
            return new SecretDump(resource.Name, server, [], [], e.Message);
        }
    }

    private static SecretDump Of(SecretResource secret, string source, TimeProvider time)
    {
        try
        {
            var chain = secret.Certificate?.Get();
            var validation = secret.Validation is null ? null : CertificateValidationCompiler.Compile(secret.Validation, secret.Name);
            var roots = validation?.Roots?.Get().AsEnumerable() ?? validation?.TrustDomains?.Bundles.Values.SelectMany(b => b.Authorities) ?? [];
            return new SecretDump(
                secret.Name,
                source,
                chain is null ? [] : [CertificateDump.Of(chain.TargetCertificate, time), .. chain.IntermediateCertificates.Select(c => CertificateDump.Of(c, time))],
                [.. roots.Take(MaxAuthorities).Select(c => CertificateDump.Of(c, time))],
                null);
        }
        catch (Exception e) when (e is TlsFailureException or ResourceRejectedException or CryptographicException)
        {
            return new SecretDump(secret.Name, source, [], [], e.Message);
        }
    }
}
