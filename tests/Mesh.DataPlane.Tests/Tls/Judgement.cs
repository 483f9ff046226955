using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Tls;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>What a validation context makes of a peer, in a handshake between sockets.</summary>
internal static class Judgement
{
    /// <returns>Why the peer is refused; <see langword="null"/> when it is not.</returns>
    public static Task<(string Reason, string Explanation)?> OfAsync(CertificateValidationContext context, X509Certificate2 certificate, params X509Certificate2[] between)
        => OfAsync(CertificateValidationCompiler.Compile(context, "context"), certificate, between, isClient: false);

    /// <param name="validation">What is asked.</param>
    /// <param name="certificate">What the peer shows.</param>
    /// <param name="between">What it shows beside it.</param>
    /// <param name="isClient">Whether the peer is the client.</param>
    public static async Task<(string Reason, string Explanation)?> OfAsync(
        CertificateValidation validation, X509Certificate2 certificate, X509Certificate2[] between, bool isClient)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var far = await listener.AcceptTcpClientAsync();
        using var plain = Pki.Leaf(null, _ => { });
        var shown = SslStreamCertificateContext.Create(certificate, [.. between], offline: true);
        (string, string)? refusal = null;
        var asked = new SslServerAuthenticationOptions { ServerCertificateContext = isClient ? SslStreamCertificateContext.Create(plain, [], offline: true) : shown };
        var client = new SslClientAuthenticationOptions { TargetHost = "peer", ClientCertificateContext = isClient ? shown : null, RemoteCertificateValidationCallback = (_, _, _, _) => true };
        RemoteCertificateValidationCallback judge = (_, peer, chain, _) => (refusal = validation.Verify(peer as X509Certificate2, chain, host: null, onlyHost: false)) is null;
        var policy = validation.CreateChainPolicy(new ManualTimeProvider(Pki.Now));
        if (isClient)
        {
            asked.ClientCertificateRequired = true;
            asked.CertificateChainPolicy = policy;
            asked.RemoteCertificateValidationCallback = judge;
        }
        else
        {
            client.CertificateChainPolicy = policy;
            client.RemoteCertificateValidationCallback = judge;
        }

        await using var ours = new SslStream(near.GetStream());
        await using var theirs = new SslStream(far.GetStream());
        var handshakes = new[] { End(ours.AuthenticateAsClientAsync(client), near), End(theirs.AuthenticateAsServerAsync(asked), far) };
        var failed = await Task.WhenAll(handshakes);
        failed[isClient ? 1 : 0].ShouldBe(refusal is not null);
        return refusal;

        static async Task<bool> End(Task handshake, TcpClient connection)
        {
            try
            {
                await handshake;
                return false;
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
                connection.Close();
                return true;
            }
        }
    }
}
