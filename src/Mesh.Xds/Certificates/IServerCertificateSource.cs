using System.Net.Security;

namespace Mesh.Xds.Certificates;

/// <summary>The certificate that a control plane shows at its own TLS port.</summary>
internal interface IServerCertificateSource
{
    /// <summary>The certificate of now; it is renewed while the port is open.</summary>
    SslStreamCertificateContext Current { get; }
}
