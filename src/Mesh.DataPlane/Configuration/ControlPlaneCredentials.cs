using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Bootstrap;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Configuration;

/// <summary>
/// What this process proves its identity with to its control plane: its own certificate, as soon as it has one, and a token. Both are found when a
/// connection or stream is made, which is after the engine was: the engine needs the client first.
/// </summary>
internal sealed class ControlPlaneCredentials(IServiceProvider services, MeshOptions options)
{
    private readonly Lock _gate = new();
    private Watched? _certificate;
    private Watched? _roots;

    /// <summary>The workload's certificate of now.</summary>
    public X509Certificate2? Certificate()
    {
        try
        {
            return Watch(ref _certificate, ISecretSource.Certificate)?.Latest?.Certificate?.Get().TargetCertificate;
        }
        catch (TlsFailureException)
        {
            // Told where it is used for requests; a token may do here.
            return null;
        }
    }

    /// <summary>The mesh's roots of now.</summary>
    public X509Certificate2Collection? Roots()
    {
        var authorities = Watch(ref _roots, ISecretSource.Authorities)?.Latest?.Validation?.TrustedCa;
        var pem = authorities?.HasInlineBytes == true ? authorities.InlineBytes.ToStringUtf8() : authorities?.InlineString;
        if (string.IsNullOrEmpty(pem))
        {
            return null;
        }

        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(pem);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }

        return roots;
    }

    /// <summary>What reads the token for a server: nothing, where it would go over the network in clear text and nobody has asked for that.</summary>
    public Func<string?>? TokenFor(XdsServerConfig server)
    {
        var target = GrpcTarget.Parse(server.ServerUri);
        var isSafe = (target.Tls ?? server.Tls is not null) || target.IsOnThisMachine;

        // A token that is named for this server and may not go there is an error, which the channel tells.
        return isSafe || !string.IsNullOrEmpty(options.Xds.TokenFile) ? Token : null;
    }

    /// <summary>The token of now; <see langword="null"/> when there is no such file.</summary>
    /// <exception cref="InvalidOperationException">A file that the settings name cannot be used. The message does not hold what is in it.</exception>
    public string? Token()
    {
        var named = options.Xds.TokenFile;
        var path = string.IsNullOrEmpty(named) ? options.Identity.CertificateAuthority.TokenFile : named;
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        try
        {
            return BearerTokenFile.Read(path)
                ?? (string.IsNullOrEmpty(named) ? null : throw new InvalidOperationException($"the token file {path} cannot be read: there is none"));
        }
        catch (IdentityException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }

    private Watched? Watch(ref Watched? watched, string name)
    {
        lock (_gate)
        {
            if (watched is null && services.GetService<MeshEngine>()?.Identity is { } identity)
            {
                watched = new Watched();
                identity.Watch(name, watched);
            }

            return watched;
        }
    }

    private sealed class Watched : IResourceWatcher<SecretResource>
    {
        private volatile SecretResource? _latest;

        public SecretResource? Latest => _latest;

        public void OnChanged(string name, SecretResource resource, string version) => _latest = resource;

        public void OnResourceError(string name, ResourceError error)
        {
            // What was there serves on until it expires.
        }

        public void OnAmbientError(string name, ResourceError error)
        {
        }
    }
}
