using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Explaining;

/// <summary>Says in words how connections are made.</summary>
internal static class TransportWords
{
    public static string Of(TransportSettings settings)
    {
        var protocol = settings.Protocol.ToString();
        return settings.Tls is not { } tls ? $"{protocol}, plain text"
            : tls.IsMesh ? $"{protocol}, mutual TLS of the mesh{ServerName(tls)}"
            : tls.CertificateSecret is not null || tls.Certificate is not null ? $"{protocol}, mutual TLS{ServerName(tls)}"
            : $"{protocol}, TLS{ServerName(tls)}";
    }

    private static string ServerName(UpstreamTls tls) => tls.ServerName.Length > 0 ? $" to {tls.ServerName}" : "";
}
