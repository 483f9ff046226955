using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Identity;

/// <summary>
/// Certificates in files that somebody else renews (<c>file_watcher</c> of gRFC A29, and PEM files of the settings). The files are looked at from time to
/// time; those that are half-written, or do not go together, leave the last good ones in use and are looked at again soon.
/// </summary>
internal sealed class FileSource(FileSourceSettings settings, TimeProvider time, IRandomSource random) : IIdentitySource
{
    private const int MaxSize = 4 * 1024 * 1024;

    public string Description => settings.Description;

    public async Task RunAsync(WorkloadIdentity identity, CancellationToken cancellationToken)
    {
        var backoff = new ExponentialBackoff(random);
        Part[] parts = [Certificate(identity), Authorities(identity)];
        while (true)
        {
            var isWhole = true;
            foreach (var part in parts)
            {
                isWhole &= await part.LookAsync(identity, cancellationToken).ConfigureAwait(false);
            }

            var delay = settings.RefreshInterval;
            if (isWhole)
            {
                backoff.Reset();
            }
            else if (backoff.Next() is var soon && soon < delay)
            {
                delay = soon;
            }

            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private Part Certificate(WorkloadIdentity identity)
    {
        if (settings.Certificate is null)
        {
            identity.Lack(ISecretSource.Certificate, $"{settings.Description} name no certificate");
            return new Part(ISecretSource.Certificate, [], _ => { });
        }

        return new Part(ISecretSource.Certificate, [settings.Certificate, settings.PrivateKey!], read =>
        {
            var chain = new X509Certificate2Collection();
            var pem = Encoding.UTF8.GetString(read[0]);
            chain.ImportFromPem(pem);
            if (chain.Count == 0)
            {
                throw new IdentityException($"there is no certificate in {settings.Certificate}");
            }

            identity.UseCertificate(ClientCertificate.Of(Join(pem, Encoding.UTF8.GetString(read[1])), [.. chain.Skip(1)]));
        });
    }

    // What the framework says of a key may quote it.
    private X509Certificate2 Join(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (CryptographicException) when (!PemEncoding.TryFind(key, out _))
        {
            throw new IdentityException($"there is no private key in {settings.PrivateKey}");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new IdentityException($"the key in {settings.PrivateKey} cannot be read, or is not that of the certificate in {settings.Certificate}");
        }
    }

    private Part Authorities(WorkloadIdentity identity)
    {
        if (settings.BundleMap is { } map)
        {
            return new Part(ISecretSource.Authorities, [map], read => identity.UseAuthorities(new CertificateValidationContext
            {
                CustomValidatorConfig = new TypedExtensionConfig
                {
                    Name = "envoy.tls.cert_validator.spiffe",
                    TypedConfig = Any.Pack(new SPIFFECertValidatorConfig { TrustBundles = new DataSource { InlineString = Encoding.UTF8.GetString(read[0]) } }),
                },
            }));
        }

        if (settings.Authorities is { } authorities)
        {
            return new Part(ISecretSource.Authorities, [authorities], read => identity.UseAuthorities(new CertificateValidationContext
            {
                TrustedCa = new DataSource { InlineString = Encoding.UTF8.GetString(read[0]) },
            }));
        }

        identity.Lack(ISecretSource.Authorities, $"{settings.Description} name no authorities");
        return new Part(ISecretSource.Authorities, [], _ => { });
    }

    private sealed class Part(string name, string[] files, Action<byte[][]> use)
    {
        private byte[][]? _used;

        /// <returns>Whether what is there is in use.</returns>
        public async Task<bool> LookAsync(WorkloadIdentity identity, CancellationToken cancellationToken)
        {
            if (files.Length == 0)
            {
                return true;
            }

            try
            {
                var read = new byte[files.Length][];
                for (var i = 0; i < files.Length; i++)
                {
                    read[i] = await ReadAsync(files[i], cancellationToken).ConfigureAwait(false);
                }

                if (_used is null || !_used.Zip(read).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                {
                    use(read);
                    _used = read;
                }
                else
                {
                    identity.Recover(name);
                }

                return true;
            }
            catch (Exception e) when (e is IdentityException or IOException or UnauthorizedAccessException or CryptographicException or TlsFailureException)
            {
                var reason = e is IdentityException ? e.Message : $"{string.Join(" and ", files)} cannot be used: {e.Message}";
                identity.Fail(reason, isFinal: true, name);
                return false;
            }
        }

        private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
        {
            var info = new FileInfo(file);
            return info is { Exists: true, Length: > MaxSize }
                ? throw new IdentityException($"{file} has {info.Length} bytes; at most {MaxSize} are read")
                : await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        }
    }
}
