using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Mesh.Client.Tcp;
using Mesh.TestNet;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.EndToEnd.Tests.Tcp;

/// <summary>TLS that the application speaks itself: <c>tls</c> routes tell by the server name where it goes, and nobody opens it on the way.</summary>
public sealed class ServerNameLabs : IAsyncLifetime
{
    private readonly TestCertificateAuthority _authority = new();
    private readonly List<TcpListener> _servers = [];
    private PodMesh _mesh = null!;

    public async Task InitializeAsync()
    {
        var (a, b) = (Serve("a", "a.example.com", "www.example.com"), Serve("b", "b.example.com"));
        _mesh = await PodMesh.StartAsync(string.Create(CultureInfo.InvariantCulture, $$$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: site}
            spec:
              hosts: [site.example.com]
              ports: [{number: 443, name: tls, protocol: TLS}]
              resolution: STATIC
              endpoints:
              - {address: 127.0.0.1, ports: { tls: {{{a}}} }, labels: {part: a}}
              - {address: 127.0.0.1, ports: { tls: {{{b}}} }, labels: {part: b}}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: site}
            spec:
              host: site.example.com
              subsets: [{name: a, labels: {part: a}}, {name: b, labels: {part: b}}]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: site}
            spec:
              hosts: ["*.example.com"]
              tls:
              - match: [{sniHosts: ["*.example.com"], port: 443}]
                route: [{destination: {host: site.example.com, subset: a}}]
              - match: [{sniHosts: [b.example.com], port: 443}]
                route: [{destination: {host: site.example.com, subset: b}}]
            """));
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        foreach (var server in _servers)
        {
            server.Dispose();
        }

        _authority.Dispose();
    }

    [Theory]
    [InlineData("a.example.com", "a")]
    [InlineData("WWW.example.com", "a")]
    [InlineData("b.example.com", "b")]
    public async Task The_name_that_the_driver_asks_for_decides(string name, string reached)
    {
        var connector = _mesh.Application().GetRequiredService<IMeshConnector>();

        (await AskAsync(await connector.ConnectAsync("site.example.com", 443), name)).ShouldBe(reached);
    }

    [Fact]
    public async Task Who_says_the_name_beforehand_is_connected_at_once()
    {
        var connector = _mesh.Application().GetRequiredService<MeshConnector>();

        var stream = await connector.ConnectAsync("site.example.com", 443, "b.example.com", CancellationToken.None);

        stream.RemoteEndPoint.ShouldNotBeNull();
        (await AskAsync(stream, "b.example.com")).ShouldBe("b");
    }

    [Fact]
    public async Task A_name_that_no_route_has_is_refused()
    {
        var connector = _mesh.Application().GetRequiredService<IMeshConnector>();
        await using var tls = new SslStream(await connector.ConnectAsync("site.example.com", 443));

        var failure = await Should.ThrowAsync<IOException>(tls.AuthenticateAsClientAsync("other.example.org").OrHang());

        failure.Message.ShouldContain("other.example.org");
    }

    [Fact]
    public async Task What_is_no_TLS_is_refused_where_every_route_asks_for_a_name()
    {
        var connector = _mesh.Application().GetRequiredService<IMeshConnector>();
        await using var stream = await connector.ConnectAsync("site.example.com", 443);

        (await Should.ThrowAsync<IOException>(stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray()).AsTask().OrHang())).Message.ShouldContain("no filter chain");
        await Should.ThrowAsync<IOException>(stream.ReadAsync(new byte[1]).AsTask().OrHang());
    }

    [Fact]
    public async Task A_port_of_this_machine_tells_the_names_apart_too()
    {
        var application = _mesh.Application(configure: o => o.Client.TcpListeners.Add(new() { Service = "site.example.com:443" }));
        var services = application.GetServices<IHostedService>().ToList();
        services.ForEach(s => s.StartAsync(CancellationToken.None).GetAwaiter().GetResult());
        var address = application.GetRequiredService<IMeshTcpListeners>().EndPointOf("site.example.com:443");

        foreach (var (name, reached) in new[] { ("a.example.com", "a"), ("b.example.com", "b") })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address);
            (await AskAsync(client.GetStream(), name)).ShouldBe(reached);
        }

        services.ForEach(s => s.StopAsync(new CancellationToken(canceled: true)).GetAwaiter().GetResult());
    }

    // The handshake and its check are the driver's own: the certificate is that of the server behind.
    private async Task<string> AskAsync(Stream stream, string name)
    {
        await using var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, CertificateChainPolicy = _authority.CreateChainPolicy() }).OrHang();
        using var reader = new StreamReader(tls);
        return (await reader.ReadToEndAsync().OrHang()).Trim();
    }

    private int Serve(string answer, params string[] names)
    {
        var certificate = _authority.Issue(names);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _servers.Add(listener);
        _ = AcceptAsync();
        return ((IPEndPoint)listener.LocalEndpoint).Port;

        async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = AnswerAsync(await listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        async Task AnswerAsync(TcpClient client)
        {
            using (client)
            {
                try
                {
                    await using var tls = new SslStream(client.GetStream());
                    await tls.AuthenticateAsServerAsync(certificate);
                    await tls.WriteAsync(Encoding.ASCII.GetBytes(answer));
                    await tls.ShutdownAsync();
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The test sees it at the other end.
                }
            }
        }
    }
}
