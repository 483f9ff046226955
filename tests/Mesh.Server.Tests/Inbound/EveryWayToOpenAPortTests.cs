using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.TestNet;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Server.Tests.Inbound;

/// <summary>However a port was opened: under STRICT plain text is reset there, and a workload is let in.</summary>
public sealed class EveryWayToOpenAPortTests
{
    public static TheoryData<string> Ways => ["Listen before", "Listen after", "URLs", "UseUrls", "appsettings", "PreferHostingUrls", "ConfigureEndpointDefaults", "any address", "localhost", "a socket of the application's own", "endpoints added by UseKestrel"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_port_is_covered_however_it_was_opened(string way)
    {
        Action<WebApplicationBuilder> open = way switch
        {
            "URLs" => b => b.Configuration.AddInMemoryCollection([new("urls", "http://127.0.0.1:0")]),
            "UseUrls" => b => b.WebHost.UseUrls("http://127.0.0.1:0"),
            "appsettings" => b => b.Configuration.AddInMemoryCollection([new("Kestrel:Endpoints:Web:Url", "http://127.0.0.1:0")]),
            "PreferHostingUrls" => b => b.WebHost.UseUrls("http://127.0.0.1:0").PreferHostingUrls(true).ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0)),
            "ConfigureEndpointDefaults" => b => b.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(k => k.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http1)),
            "any address" => b => b.WebHost.ConfigureKestrel(k => k.ListenAnyIP(0)),
            "localhost" => b => b.WebHost.UseUrls($"http://localhost:{FreePort.Next()}"),
            "a socket of the application's own" => b => b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0)).UseSockets(s =>
            {
                var inner = s.CreateBoundListenSocket;
                s.CreateBoundListenSocket = inner;
            }),
            "endpoints added by UseKestrel" => b => b.WebHost.UseKestrel(k => k.Listen(IPAddress.Loopback, 0)),
            _ => b => b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0)),
        };
        await using var app = way == "Listen after" ? await InboundApp.StartAsync(before: _ => { }, after: open) : await InboundApp.StartAsync(before: open);
        app.EndPoints.ShouldNotBeEmpty();
        foreach (var endPoint in app.App.Services.GetRequiredService<DataPlane.Inbound.InboundPorts>().Open.Select(l => l.EndPoint))
        {
            app.Set(Listeners.Strict(endPoint, app.Tls()));
        }

        (await IsResetAsync(app.Port)).ShouldBeTrue();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await client.GetStringAsync("/who")).ShouldEndWith("mtls");
    }

    [Fact]
    public async Task A_generic_host_that_calls_AddMesh_before_the_web_server_is_configured_is_covered_as_well()
    {
        var xds = new DataPlane.Tests.ScriptedXdsClient();
        using var authority = new TestCertificateAuthority();
        using var host = Host.CreateDefaultBuilder()
            .ConfigureServices(services =>
            {
                services.AddMesh(options => (options.Server.Inbound, options.Server.Register) = (true, false));
                services.AddSingleton<Xds.Client.IXdsClient>(xds);
            })
            .ConfigureWebHostDefaults(web => web.UseUrls("http://127.0.0.1:0").Configure(app => app.Run(_ => Task.CompletedTask)))
            .Build();
        await host.StartAsync();
        var listener = host.Services.GetRequiredService<DataPlane.Inbound.InboundPorts>().Open.ShouldHaveSingleItem();
        xds.Set(
            host.Services.GetRequiredService<DataPlane.MeshEngine>().Filters.Listeners,
            Listeners.Strict(listener.EndPoint, Listeners.Tls(authority.Issue("spiffe://cluster.local/ns/default/sa/server"), authority.Pem)));

        (await IsResetAsync(listener.EndPoint.Port)).ShouldBeTrue();
        await host.StopAsync();
    }

    [Fact]
    public async Task A_transport_that_would_bind_ports_beside_the_mesh_ends_the_start()
    {
        var error = await Should.ThrowAsync<InvalidOperationException>(() => InboundApp.StartAsync(after: b => b.Services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>()));

        error.Message.ShouldContain("was registered after AddMesh()");
        error.Message.ShouldContain("Mesh:Server:Inbound");
    }

    [Fact]
    public async Task A_transport_of_somebody_else_ends_the_start_unless_its_port_is_exempt()
    {
        var error = await Should.ThrowAsync<InvalidOperationException>(() => InboundApp.StartAsync(before: b =>
        {
            b.Services.AddSingleton<IConnectionListenerFactory, OtherTransport>();
            b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, FreePort.Next()));
        }));
        error.Message.ShouldContain(nameof(OtherTransport));
        error.Message.ShouldContain("Mesh:Server:AllowUnmeshed");

        var port = FreePort.Next();
        await using var app = await InboundApp.StartAsync(
            before: b =>
            {
                b.Services.AddSingleton<IConnectionListenerFactory, OtherTransport>();
                b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port));
            },
            mesh: options => options.Server.AllowUnmeshed.Add(port));
        using var client = MeshCaller.Plain(port);
        (await client.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
    }

    [Fact]
    public async Task A_port_that_is_exempt_and_the_control_planes_own_ask_for_no_listener()
    {
        var port = FreePort.Next();
        await using var app = await InboundApp.StartAsync(
            before: b => b.WebHost.ConfigureKestrel(k =>
            {
                k.Listen(IPAddress.Loopback, port);
                k.ListenMeshXds(IPAddress.Loopback, 0);
            }),
            mesh: options => options.Server.AllowUnmeshed.Add(port));
        using var client = MeshCaller.Plain(port);
        using var control = MeshCaller.Plain(app.EndPoints.Single(e => e.Port != port).Port, http2: true);

        (await client.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
        (await control.GetStringAsync("/who")).ShouldBe("HTTP/2 http nobody plain");
        app.App.Services.GetRequiredService<DataPlane.Inbound.InboundPorts>().Open.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_socket_of_the_file_system_is_as_it_is()
    {
        var path = Path.Combine(Path.GetTempPath(), $"mesh-{Guid.NewGuid():N}.sock");
        await using var app = await InboundApp.StartAsync(before: b => b.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(path)));
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });

        (await client.GetStringAsync("http://app/who")).ShouldBe("HTTP/1.1 http nobody plain");
    }

    [Fact]
    public async Task A_taken_port_is_told_as_Kestrel_tells_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var error = await Should.ThrowAsync<IOException>(() => InboundApp.StartAsync(before: b => b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port))));

        error.InnerException.ShouldBeOfType<AddressInUseException>();
    }

    [Fact]
    public async Task The_applications_own_HTTPS_goes_on_beside_the_mesh_and_is_not_reached_in_plain_text()
    {
        using var own = new TestCertificateAuthority("Own");
        await using var app = await InboundApp.StartAsync(before: b => b.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(Exported(own.Issue("localhost"))))));
        app.SetPermissive();
        using var http1 = MeshCaller.Secure(app.Port, null, "http/1.1", sni: "localhost");
        using var http2 = MeshCaller.Secure(app.Port, null, "h2", http2: true, sni: "localhost");
        using var plain = MeshCaller.Plain(app.Port, http2: true);

        (await http1.GetStringAsync("/who")).ShouldBe("HTTP/1.1 https nobody plain");
        (await http2.GetStringAsync("/who")).ShouldBe("HTTP/2 https nobody plain");
        await Should.ThrowAsync<HttpRequestException>(() => plain.GetStringAsync("/who"));

        // As behind a proxy: within the mesh's TLS there is the application's.
        await using var outer = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio");
        await using var inner = new SslStream(outer);
        await inner.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, _, _, _) => true });
        inner.RemoteCertificate!.Issuer.ShouldBe("CN=Own");
        await inner.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(inner);
        (await reader.ReadToEndAsync()).ShouldEndWith("HTTP/1.0 https spiffe://cluster.local/ns/default/sa/client mtls");
    }

    private static X509Certificate2 Exported(X509Certificate2 certificate) => X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);

    private static async Task<bool> IsResetAsync(int port)
    {
        await using var stream = await MeshCaller.ConnectAsync(port);
        await stream.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
        var error = await Should.ThrowAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1]));
        return error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset };
    }

    private sealed class OtherTransport(Microsoft.Extensions.Options.IOptions<SocketTransportOptions> options, Microsoft.Extensions.Logging.ILoggerFactory loggers) : IConnectionListenerFactory
    {
        private readonly SocketTransportFactory _inner = new(options, loggers);

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => _inner.BindAsync(endpoint, cancellationToken);
    }
}
