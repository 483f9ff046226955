using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Mesh.Identity;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>Connections that prove who is at both ends, and those that do not.</summary>
public sealed class MutualTlsLabs
{
    private const string Httpbin = "http://httpbin.foo:8000/";

    private static readonly RequestDelegate WhoCalls = context
        => context.Response.WriteAsync(context.Features.Get<IMeshPeerFeature>()?.Identity?.ToString() ?? "unknown", context.RequestAborted);

    [Fact]
    [Trait("Lab", "A2-07")]
    public async Task Three_namespaces_with_client_and_server_switched_on_one_after_the_other()
    {
        await using var mesh = await PodMesh.StartAsync(
            SecurityYaml.AutoMutualTlsOff + LabYaml.Service("httpbin", 8000, @namespace: "foo") + LabYaml.Service("httpbin", 8000, @namespace: "bar"));
        var httpbin = await mesh.AddMeshPodAsync("httpbin", WhoCalls, @namespace: "foo");
        var sleep = (await mesh.AddMeshPodAsync("sleep", @namespace: "bar")).Client;

        // 1. Nobody asks for anything, and nobody offers it.
        var plain = await sleep.AskAsync(Httpbin);
        (plain.Status, plain.Body).ShouldBe((200, "unknown"));
        using var before = new HttpClient();
        (await before.GetStringAsync(httpbin.Address)).ShouldBe("unknown");

        // 2. The server alone: the client speaks in clear text, and is cut off. What is open may end one answer, and is then gone.
        await mesh.ApplyAsync(SecurityYaml.PeerAuthentication("STRICT", "istio-system"));
        (await sleep.AskAsync(Httpbin)).Status.ShouldBe(200);
        var refused = await sleep.AskAsync(Httpbin);
        refused.Status.ShouldBe(503);
        refused.Body.ShouldStartWith("upstream connect error or disconnect/reset before headers");

        // 3. The client as well.
        await mesh.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: default, namespace: istio-system}
            spec:
              host: "*.local"
              trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
            """);
        var mutual = await sleep.AskAsync(Httpbin);
        (mutual.Status, mutual.Body).ShouldBe((200, "spiffe://cluster.local/ns/bar/sa/default"));

        // 4. Whoever is not of the mesh is cut off.
        using var legacy = new HttpClient();
        (await Should.ThrowAsync<HttpRequestException>(legacy.GetAsync(httpbin.Address).OrHang())).InnerException
            .ShouldBeOfType<IOException>().InnerException.ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
    }

    [Fact]
    [Trait("Lab", "P13")]
    public async Task Callers_without_the_mesh_are_served_until_the_namespace_is_strict()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("customers"));
        var customers = await mesh.AddMeshPodAsync("customers", WhoCalls, account: "customers-v1");
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system", account: "istio-ingressgateway-service-account")).Client;
        using var frontend = new HttpClient();

        (await frontend.GetStringAsync(customers.Address)).ShouldBe("unknown");
        (await gateway.AskAsync("http://customers.default.svc.cluster.local/")).Body.ShouldBe("spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account");

        await mesh.ApplyAsync(SecurityYaml.PeerAuthentication("STRICT"));
        using var another = new HttpClient();
        (await Should.ThrowAsync<HttpRequestException>(another.GetAsync(customers.Address).OrHang())).InnerException.ShouldBeOfType<IOException>();
        (await gateway.AskAsync("http://customers.default.svc.cluster.local/")).Status.ShouldBe(200);

        await mesh.DeleteAsync("PeerAuthentication", "default");
        (await another.GetStringAsync(customers.Address)).ShouldBe("unknown");
    }

    [Fact]
    [Trait("Lab", "C7")]
    public async Task STRICT_in_one_namespace_leaves_the_others_alone()
    {
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("httpbin", 8000, @namespace: "foo") + LabYaml.Service("httpbin", 8000, @namespace: "bar") + SecurityYaml.PeerAuthentication("STRICT", "foo"));
        var strict = await mesh.AddMeshPodAsync("httpbin", WhoCalls, @namespace: "foo");
        var lenient = await mesh.AddMeshPodAsync("httpbin", WhoCalls, @namespace: "bar");
        using var legacy = new HttpClient();

        (await Should.ThrowAsync<HttpRequestException>(legacy.GetAsync(strict.Address).OrHang())).InnerException.ShouldBeOfType<IOException>();
        (await legacy.GetStringAsync(lenient.Address)).ShouldBe("unknown");
    }

    [Fact]
    [Trait("Lab", "L004-21")]
    public async Task Without_a_certificate_of_the_mesh_there_is_no_handshake()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("details", 9080) + SecurityYaml.PeerAuthentication("STRICT"));
        var details = await mesh.AddMeshPodAsync("details", context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync($"Not Found at {context.Request.Host}");
        });
        var productpage = (await mesh.AddMeshPodAsync("productpage", account: "bookinfo-productpage")).Client;

        await Should.ThrowAsync<Exception>(ShakeHandsAsync(details.Address, "details"));
        var answer = await productpage.AskAsync("http://details:9080/");
        (answer.Status, answer.Body).ShouldBe((404, "Not Found at details:9080"));
    }

    [Theory]
    [InlineData("STRICT")]
    [InlineData("PERMISSIVE")]
    [Trait("Lab", "A2-12")]
    public async Task An_application_with_TLS_of_its_own_is_reached_by_workloads_only_where_the_mesh_insists(string mode)
    {
        using var authority = new TestCertificateAuthority("nginx");
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("my-nginx", 443, "https") + SecurityYaml.PeerAuthentication(mode));
        IMeshPeerFeature? peer = null;
        var headers = new List<string>();
        var nginx = await mesh.AddMeshPodAsync(
            "my-nginx",
            context =>
            {
                peer = context.Features.Get<IMeshPeerFeature>();
                headers.AddRange(context.Request.Headers.Keys);
                return context.Response.WriteAsync($"<h1>Welcome to nginx!</h1>{context.Request.Scheme}");
            },
            https: authority.Issue("my-nginx"));
        var sleep = await mesh.AddMeshPodAsync("sleep", account: "sleep");

        // curl https://my-nginx -k, from the application: its TLS is within the mesh's.
        using var curl = Insecure(sleep);
        (await curl.GetStringAsync("https://my-nginx/").OrHang()).ShouldBe("<h1>Welcome to nginx!</h1>https");
        peer!.Identity.ToString().ShouldBe("spiffe://cluster.local/ns/default/sa/sleep");

        // The same by a connection of its own making.
        var connector = sleep.Services.GetRequiredService<IMeshConnector>();
        using var handler = new SocketsHttpHandler { ConnectCallback = (context, token) => connector.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token) };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        using var byConnector = new HttpClient(handler);
        (await byConnector.GetStringAsync("https://my-nginx/").OrHang()).ShouldBe("<h1>Welcome to nginx!</h1>https");
        peer!.Identity.ToString().ShouldBe("spiffe://cluster.local/ns/default/sa/sleep");

        headers.ShouldNotContain(name => name.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase), "nobody takes them off within the application's own TLS");

        // From beside it, without a certificate of the mesh. "It will not work. And it should not."
        var outside = ShakeHandsAsync(nginx.Address, "my-nginx");
        if (mode == "STRICT")
        {
            (await Should.ThrowAsync<Exception>(outside)).ShouldBeAssignableTo<Exception>().ShouldNotBeOfType<TimeoutException>();
        }
        else
        {
            await outside;
            peer.IsMutualTls.ShouldBeFalse();
        }
    }

    // The client of an application that believes whoever shows a certificate.
    private static HttpClient Insecure(MeshPod pod)
    {
        var handler = pod.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("insecure");
        return new HttpClient(handler) { Timeout = Guard.Hang };
    }

    // TLS 1.3 lets a client believe that it is in until the server has seen that there is no certificate.
    private static async Task ShakeHandsAsync(Uri address, string host)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, address.Port).OrHang();
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }).OrHang();
        await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).AsTask().OrHang();
        if (await tls.ReadAsync(new byte[1]).AsTask().OrHang() == 0)
        {
            throw new AuthenticationException("The server has closed the connection.");
        }
    }
}
