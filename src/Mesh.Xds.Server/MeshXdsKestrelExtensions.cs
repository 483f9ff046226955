using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh;
using Mesh.Xds.Certificates;
using Mesh.Xds.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Ports for xDS.</summary>
public static class MeshXdsKestrelExtensions
{
    private static readonly List<SslApplicationProtocol> _protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    /// <summary>Listens for gRPC in plain text (HTTP/2 with prior knowledge), as Istio's port 15010 does.</summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="address">The address to bind.</param>
    /// <param name="port">The port; <c>0</c> lets the system choose.</param>
    public static void ListenMeshXds(this KestrelServerOptions options, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Listen(new OwnEndPoint(address, port), listen => listen.Protocols = HttpProtocols.Http2);
    }

    /// <summary>
    /// Listens for gRPC over TLS, as Istio's port 15012 does. The port's certificate is by the control plane's own authority and renewed while the port
    /// is open; clients may show theirs, and are judged by the control plane, not by the handshake: one whose certificate has expired may have a token.
    /// </summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="address">The address to bind.</param>
    /// <param name="port">The port; <c>0</c> lets the system choose.</param>
    /// <exception cref="InvalidOperationException">The control plane has no certificate authority.</exception>
    public static void ListenMeshXdsTls(this KestrelServerOptions options, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(options);
        var certificates = options.ApplicationServices.GetService<IServerCertificateSource>()
            ?? throw new InvalidOperationException(
                "ListenMeshXdsTls: no certificate authority is there for the port's certificate; call AddMeshControlPlane() and leave Mesh:ControlPlane:CertificateAuthority:Enabled on.");

        // What is wrong with the authority is told when the application starts.
        _ = certificates.Current;
        options.Listen(new OwnEndPoint(address, port), listen =>
        {
            // HTTP/1.1 for people with curl; gRPC is on HTTP/2.
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = context => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificates.Current,
                    ClientCertificateRequired = true,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = _protocols,
                    AllowRenegotiation = false,

                    // A resumed session brings no chain along that could be judged.
                    AllowTlsResume = false,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
                    RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                    {
                        // The handshake has proven the key; what came besides is needed when the chain is judged.
                        if (certificate is not null && chain is not null)
                        {
                            context.Connection.Items[HttpCaller.ChainKey] = (IReadOnlyList<X509Certificate2>)[.. chain.ChainPolicy.ExtraStore.Select(c => X509CertificateLoader.LoadCertificate(c.RawDataMemory.Span))];
                        }

                        return true;
                    },
                }),
            });
        });
    }

    /// <summary>
    /// Listens in plain text for people, <c>meshctl</c> and Prometheus, as istiod's port 15014 does: HTTP/1.1, which the port for gRPC does not speak.
    /// </summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="address">The address to bind. Beyond loopback callers need a role, and tokens travel in clear text: use the TLS port there.</param>
    /// <param name="port">The port; <c>0</c> lets the system choose.</param>
    public static void ListenMeshMonitoring(this KestrelServerOptions options, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Listen(new OwnEndPoint(address, port), listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>Listens for gRPC on a Unix socket, whose other end the system names (Linux).</summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="path">The socket's path. Who may connect is decided by the folder's permissions.</param>
    public static void ListenMeshXdsUnixSocket(this KestrelServerOptions options, string path)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(path);
        options.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
