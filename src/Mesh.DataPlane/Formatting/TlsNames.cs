using System.Net.Security;
using System.Security.Authentication;

namespace Mesh.DataPlane.Formatting;

/// <summary>Envoy's names of what TLS has agreed upon.</summary>
internal static class TlsNames
{
#pragma warning disable CA5397, SYSLIB0039 // Old versions have names too.
    public static string? Version(SslProtocols protocol)
        => protocol switch
        {
            SslProtocols.Tls13 => "TLSv1.3",
            SslProtocols.Tls12 => "TLSv1.2",
            SslProtocols.Tls11 => "TLSv1.1",
            SslProtocols.Tls => "TLSv1",
            _ => null,
        };
#pragma warning restore CA5397, SYSLIB0039

    /// <summary>OpenSSL's names, which Envoy shows: <c>ECDHE-RSA-AES128-GCM-SHA256</c>, and TLS 1.3's as the standard writes them.</summary>
    public static string? Cipher(TlsCipherSuite? suite)
        => suite switch
        {
            null => null,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
            _ => suite.Value.ToString(),
        };
}
