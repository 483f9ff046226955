using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>The certificate that a client shows, with its key and the chain to its authority.</summary>
internal sealed class ClientCertificate
{
    private readonly Reloaded<SslStreamCertificateContext> _current;
    private readonly bool _isInline;

    private ClientCertificate(IReadOnlyList<SecretData> sources, Func<IReadOnlyList<byte[]>, SslStreamCertificateContext> parse)
    {
        _current = new Reloaded<SslStreamCertificateContext>(sources, parse);
        _isInline = sources.All(source => source.IsInline);
    }

    /// <exception cref="ResourceRejectedException">It is incomplete, or asks for what cannot be done.</exception>
    public static ClientCertificate Compile(TlsCertificate message, string path)
    {
        Refuse(message.PrivateKeyProvider is not null, path + ".private_key_provider");
        Refuse(message.OcspStaple is not null, path + ".ocsp_staple");
        Refuse(message.SignedCertificateTimestamp.Count > 0, path + ".signed_certificate_timestamp");
        if (message.Pkcs12 is not null)
        {
            Refuse(message.CertificateChain is not null || message.PrivateKey is not null, path + ".pkcs12", "cannot be given beside certificate_chain and private_key");
            List<SecretData> files = [SecretData.Compile(message.Pkcs12, path + ".pkcs12")];
            AddPassword(message, path, files);
            return new ClientCertificate(files, FromPkcs12);
        }

        if (message.CertificateChain is null)
        {
            throw new ResourceRejectedException(path + ".certificate_chain", "must be set");
        }

        if (message.PrivateKey is null)
        {
            throw new ResourceRejectedException(path + ".private_key", "must be set");
        }

        List<SecretData> sources = [SecretData.Compile(message.CertificateChain, path + ".certificate_chain"), SecretData.Compile(message.PrivateKey, path + ".private_key")];
        AddPassword(message, path, sources);
        return new ClientCertificate(sources, FromPem);
    }

    /// <summary>One that is there already, with its key.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="chain">Those between it and its authority.</param>
    public static ClientCertificate Of(X509Certificate2 certificate, X509Certificate2[] chain)
    {
        var context = Context(certificate, chain);
        return new ClientCertificate([], _ => context);
    }

    /// <exception cref="TlsFailureException">It cannot be read.</exception>
    public SslStreamCertificateContext Get() => _current.Get();

    /// <summary>Looks at what is there to be looked at: files may come later, what was sent will not get better.</summary>
    /// <exception cref="ResourceRejectedException">It cannot be used.</exception>
    public void Check(string path)
    {
        if (_isInline)
        {
            try
            {
                Get();
            }
            catch (TlsFailureException e)
            {
                throw new ResourceRejectedException(path, e.Message);
            }
        }
    }

    private static void Refuse(bool isSet, string path, string why = "is not supported")
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, why);
        }
    }

    private static void AddPassword(TlsCertificate message, string path, List<SecretData> sources)
    {
        if (message.Password is not null)
        {
            sources.Add(SecretData.Compile(message.Password, path + ".password"));
        }
    }

    private static SslStreamCertificateContext FromPem(IReadOnlyList<byte[]> read)
    {
        var chain = Encoding.UTF8.GetString(read[0]);
        var key = Encoding.UTF8.GetString(read[1]);
        var certificate = read.Count > 2
            ? X509Certificate2.CreateFromEncryptedPem(chain, key, Encoding.UTF8.GetString(read[2]))
            : X509Certificate2.CreateFromPem(chain, key);
        var all = new X509Certificate2Collection();
        all.ImportFromPem(chain);
        return Context(certificate, [.. all.Skip(1)]);
    }

    private static SslStreamCertificateContext FromPkcs12(IReadOnlyList<byte[]> read)
    {
        var all = X509CertificateLoader.LoadPkcs12Collection(read[0], read.Count > 1 ? Encoding.UTF8.GetString(read[1]) : null);
        var certificate = all.FirstOrDefault(c => c.HasPrivateKey) ?? throw new CryptographicException("There is no certificate with a private key.");
        return Context(certificate, [.. all.Where(c => !c.HasPrivateKey)]);
    }

    private static SslStreamCertificateContext Context(X509Certificate2 certificate, X509Certificate2[] chain)
    {
        if (OperatingSystem.IsWindows())
        {
            // SChannel does not use keys that exist in memory only.
            certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        }

        return SslStreamCertificateContext.Create(certificate, [.. chain], offline: true);
    }
}
