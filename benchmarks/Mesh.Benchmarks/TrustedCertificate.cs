using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Benchmarks;

/// <summary>
/// A server's certificate that every client of this process takes for good, because it stands among the system's roots as the process sees them.
/// OpenSSL learns where they are from the environment that a process begins with, so the process begins once more.
/// </summary>
internal static class TrustedCertificate
{
    private const string Roots = "SSL_CERT_FILE";
    private const string WithKey = "MESH_BENCHMARKS_CERTIFICATE";

    /// <summary>The certificate of a process that was started by <see cref="StartAgainAsync"/>.</summary>
    public static X509Certificate2? Current
        => Environment.GetEnvironmentVariable(WithKey) is { } file ? X509CertificateLoader.LoadPkcs12FromFile(file, null) : null;

    /// <summary>Runs this program with the same arguments in a process that trusts a new certificate for the names given.</summary>
    public static async Task<int> StartAgainAsync(string[] args, params string[] names)
    {
        var folder = Directory.CreateTempSubdirectory("mesh-benchmarks");
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
            var alternatives = new SubjectAlternativeNameBuilder();
            Array.ForEach(names, alternatives.AddDnsName);
            request.CertificateExtensions.Add(alternatives.Build());
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            var (roots, withKey) = (Path.Combine(folder.FullName, "roots.pem"), Path.Combine(folder.FullName, "server.pfx"));
            await File.WriteAllTextAsync(roots, certificate.ExportCertificatePem());
            await File.WriteAllBytesAsync(withKey, certificate.Export(X509ContentType.Pfx));

            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, args) { Environment = { [Roots] = roots, [WithKey] = withKey } })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
