namespace Mesh.Xds.Certificates;

/// <summary>What a workload asks of a certificate authority.</summary>
/// <param name="Csr">The request (PKCS #10, DER), signed with the key that the certificate is for.</param>
/// <param name="Validity">How long the certificate shall be valid; <see langword="null"/>: as long as the authority gives by default.</param>
internal sealed record CertificateSigningRequest(ReadOnlyMemory<byte> Csr, TimeSpan? Validity = null);
