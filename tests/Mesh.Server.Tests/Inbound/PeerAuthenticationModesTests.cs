using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Mesh.TestNet;

namespace Mesh.Server.Tests.Inbound;

/// <summary>What comes in by a port under STRICT, PERMISSIVE and DISABLE, over real sockets.</summary>
public sealed class PeerAuthenticationModesTests
{
    private const string Client = "spiffe://cluster.local/ns/default/sa/client";

    [Theory]
    [InlineData("istio-h2", true)]
    [InlineData("h2", true)]
    [InlineData("istio", true)]
    [InlineData("istio,istio-h2", true)]
    [InlineData(null, true)]
    [InlineData("istio-http/1.1", false)]
    [InlineData("http/1.1", false)]
    [InlineData("istio", false)]
    [InlineData("istio-peer-exchange,istio", false)]
    [InlineData(null, false)]
    public async Task A_workload_is_let_in_by_whatever_protocol_it_names_and_the_application_sees_http(string? alpn, bool http2)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), alpn, http2);

        (await client.GetStringAsync("/who")).ShouldBe($"HTTP/{(http2 ? "2" : "1.1")} http {Client} mtls");
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Both_versions_of_TLS_are_spoken(SslProtocols version)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1", protocols: version);

        (await client.GetStringAsync("/who")).ShouldBe($"HTTP/1.1 http {Client} mtls");
    }

    [Fact]
    public async Task Plain_text_to_a_STRICT_port_is_reset()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        await using var stream = await MeshCaller.ConnectAsync(app.Port);
        await stream.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());

        var error = await Should.ThrowAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1]));

        error.InnerException.ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
        app.Refusals.ShouldHaveSingleItem().ShouldContain("it is plain text, and the port asks for TLS");
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Without_a_certificate_the_handshake_fails(SslProtocols version)
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();

        (await MeshCaller.IsRefusedAsync(app.Port, null, "istio-http/1.1", version)).ShouldBeTrue();

        (await app.RefusalAsync()).ShouldContain("The client has shown no certificate");
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var other = new TestCertificateAuthority();

        (await MeshCaller.IsRefusedAsync(app.Port, other.Issue(Client), "istio-http/1.1")).ShouldBeTrue();

        (await app.RefusalAsync()).ShouldContain("is not accepted");
    }

    [Fact]
    public async Task A_certificate_with_two_identities_and_one_that_has_expired_are_refused()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        foreach (var certificate in new[] { app.Authority.Issue(Client, "spiffe://cluster.local/ns/default/sa/admin"), app.Authority.IssueExpired(Client) })
        {
            (await MeshCaller.IsRefusedAsync(app.Port, certificate, "istio-http/1.1")).ShouldBeTrue();
        }

        await app.UntilAsync(() => app.Refusals.Count == 2);
    }

    [Fact]
    public async Task A_PERMISSIVE_port_takes_plain_text_and_the_mesh_and_tells_them_apart()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        using var plain = MeshCaller.Plain(app.Port);
        using var plain2 = MeshCaller.Plain(app.Port, http2: true);
        using var mesh = MeshCaller.Secure(app.Port, app.Workload(), "istio-h2", http2: true);

        (await plain.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
        (await plain2.GetStringAsync("/who")).ShouldBe("HTTP/2 http nobody plain");
        (await mesh.GetStringAsync("/who")).ShouldBe($"HTTP/2 http {Client} mtls");
        app.Refusals.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_port_whose_mode_is_DISABLE_takes_plain_text()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Disabled(app.EndPoint));
        using var plain = MeshCaller.Plain(app.Port);
        using var plain2 = MeshCaller.Plain(app.Port, http2: true);

        (await plain.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
        (await plain2.GetStringAsync("/who")).ShouldBe("HTTP/2 http nobody plain");
    }

    [Fact]
    public async Task A_certificate_that_is_only_asked_for_may_be_left_out_but_a_wrong_one_is_refused()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Strict(app.EndPoint, app.Tls(requires: false)));
        using var nobody = MeshCaller.Secure(app.Port, null, "http/1.1");
        using var other = new TestCertificateAuthority();

        (await nobody.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
        (await MeshCaller.IsRefusedAsync(app.Port, other.Issue(Client), "http/1.1")).ShouldBeTrue();
    }

    [Fact]
    public async Task Bodies_pass_both_ways_and_the_end_of_a_connection_is_told()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        var body = new byte[3_000_000];
        new Random(5).NextBytes(body);

        using var response = await client.PostAsync("/echo", new ByteArrayContent(body));
        (await response.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(body).ShouldBeTrue();

        // A response that ends with its connection ends with TLS's own farewell.
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await stream.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await reader.ReadToEndAsync()).ShouldEndWith($"http {Client} mtls");
    }

    [Fact]
    public async Task The_application_notices_that_a_client_is_gone()
    {
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await InboundApp.StartAsync(pipeline: a => Microsoft.AspNetCore.Builder.EndpointRouteBuilderExtensions.MapGet(a, "/wait", async (Microsoft.AspNetCore.Http.HttpContext context) =>
        {
            using var aborted = context.RequestAborted.Register(() => gone.TrySetResult());
            began.SetResult();
            await gone.Task;
        }));
        app.SetStrict();
        var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await stream.WriteAsync("GET /wait HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
        await began.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await stream.DisposeAsync();

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
