using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.TestNet;

/// <summary>
/// An authority that this process trusts as it trusts the system's, as an application trusts those of the web. OpenSSL is told by a variable of the
/// environment where they are; it is put back once they are read, so that processes which are started from here know nothing of it.
/// </summary>
public static partial class SystemTrust
{
    private const string Variable = "SSL_CERT_FILE";

    /// <summary>Where distributions have the file that this one takes the place of.</summary>
    private static readonly string[] Bundles = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

    private static TestCertificateAuthority? _authority;

    /// <summary>The authority.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Install"/> was not called, or this is not Linux.</exception>
    public static TestCertificateAuthority Authority
        => _authority ?? throw new InvalidOperationException("Nobody is trusted: SystemTrust.Install() comes first, and only Linux has a file of authorities.");

    /// <summary>Makes the authority and has it trusted; to be called before this process has looked at a certificate.</summary>
    public static void Install()
    {
        if (!OperatingSystem.IsLinux() || _authority is not null)
        {
            return;
        }

        var authority = new TestCertificateAuthority("Test authority of the system");
        var file = Path.Combine(Path.GetTempPath(), $"mesh-test-roots-{Environment.ProcessId}.pem");
        var before = Environment.GetEnvironmentVariable(Variable);
        var known = before ?? Bundles.FirstOrDefault(File.Exists);
        File.WriteAllText(file, (known is null ? "" : File.ReadAllText(known) + "\n") + authority.Pem + "\n");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(file);
        _ = SetVariable(Variable, file, 1);
        using (var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine))
        {
            store.Open(OpenFlags.ReadOnly);
            if (!store.Certificates.Any(certificate => certificate.Thumbprint == authority.Certificate.Thumbprint))
            {
                throw new InvalidOperationException("This process has read its authorities before SystemTrust.Install().");
            }
        }

        _ = before is null ? UnsetVariable(Variable) : SetVariable(Variable, before, 1);
        _authority = authority;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetVariable(string name);
}
