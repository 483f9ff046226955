using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Mesh.Server.Connections;

/// <summary>
/// Tells Kestrel that HTTP/2 has been agreed upon. It believes that of TLS only (aspnetcore issue 56984), and asks for the feature of its own TLS; the
/// client's certificate is not in it: to the application the connection is what it would be behind a proxy.
/// </summary>
internal sealed class Http2Features : ITlsApplicationProtocolFeature, ITlsConnectionFeature
{
    private static readonly byte[] _name = "h2"u8.ToArray();

    public static Http2Features Instance { get; } = new();

    public ReadOnlyMemory<byte> ApplicationProtocol => _name;

    public X509Certificate2? ClientCertificate
    {
        get => null;
        set
        {
            // It is everybody's.
        }
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);

    public static void AddTo(IFeatureCollection features)
    {
        features.Set<ITlsApplicationProtocolFeature>(Instance);
        features.Set<ITlsConnectionFeature>(Instance);
    }
}
