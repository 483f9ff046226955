using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.Server.Tests.Inbound;

/// <summary>A caller over real sockets: HTTP on a connection that was secured as the test says.</summary>
internal static class MeshCaller
{
    public static HttpClient Plain(int port, bool http2 = false) => Create(port, http2, (stream, _) => ValueTask.FromResult<Stream>(stream));

    public static HttpClient Secure(int port, X509Certificate2? certificate, string? alpn, bool http2 = false, SslProtocols protocols = SslProtocols.None, string? sni = null)
        => Create(port, http2, async (stream, ct) => await SecureAsync(stream, certificate, alpn, protocols, sni, ct));

    public static async Task<SslStream> SecureAsync(
        Stream stream, X509Certificate2? certificate, string? alpn, SslProtocols protocols = SslProtocols.None, string? sni = null, CancellationToken cancellationToken = default)
    {
        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = sni ?? "outbound_.80_._.app.default.svc.cluster.local",
                ApplicationProtocols = alpn is null ? null : [.. alpn.Split(',').Select(p => new SslApplicationProtocol(p))],
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
                EnabledSslProtocols = protocols,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
            cancellationToken);
        return tls;
    }

    /// <summary>Whether a request on one connection is not answered: TLS 1.3 tells a client only then that it is refused.</summary>
    public static async Task<bool> IsRefusedAsync(int port, X509Certificate2? certificate, string? alpn, SslProtocols protocols = SslProtocols.None)
    {
        try
        {
            await using var stream = await SecureAsync(await ConnectAsync(port), certificate, alpn, protocols);
            await stream.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
            return await stream.ReadAsync(new byte[1]) == 0;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or SocketException)
        {
            return true;
        }
    }

    /// <summary>Whether a request in plain text is not answered.</summary>
    public static async Task<bool> IsClosedAsync(int port)
    {
        try
        {
            await using var stream = await ConnectAsync(port);
            await stream.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
            return await EndsAsync(stream);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset may come while the client still connects.
            return true;
        }
    }

    /// <summary>Whether a connection ends without another byte.</summary>
    public static async Task<bool> EndsAsync(Stream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>One request on a connection; the whole of its response.</summary>
    public static async Task<string> AskAsync(Stream stream)
    {
        await stream.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
        var read = new StringBuilder();
        var buffer = new byte[1024];
        do
        {
            var count = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            if (count == 0)
            {
                throw new IOException("The connection has ended.");
            }

            read.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        while (!read.ToString().EndsWith("plain", StringComparison.Ordinal) && !read.ToString().EndsWith("mtls", StringComparison.Ordinal) && !read.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal));

        return read.ToString();
    }

    public static async Task<NetworkStream> ConnectAsync(int port, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static HttpClient Create(int port, bool http2, Func<Stream, CancellationToken, ValueTask<Stream>> secure)
        => new(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, ct) => await secure(await ConnectAsync(port, ct), ct),
        })
        {
            BaseAddress = new Uri($"http://app:{port}"),
            DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
}
