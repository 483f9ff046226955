using System.Net;
using System.Net.Security;
using Mesh.DataPlane.Inbound;
using Mesh.TestNet;
using Microsoft.Extensions.DependencyInjection;
using static Mesh.Server.Tests.Inbound.MeshCaller;

namespace Mesh.Server.Tests.Inbound;

/// <summary>What happens to connections that exist when it changes who may come in.</summary>
public sealed class ChangingPolicyTests
{
    [Fact]
    public async Task After_STRICT_a_plain_keep_alive_client_is_told_to_close_with_its_next_response()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        using var client = MeshCaller.Plain(app.Port);
        using (var before = await client.GetAsync("/who"))
        {
            before.Headers.ConnectionClose.ShouldNotBe(true);
        }

        app.SetStrict();

        using var after = await client.GetAsync("/who");
        after.StatusCode.ShouldBe(HttpStatusCode.OK);
        after.Headers.ConnectionClose.ShouldBe(true);
        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("/who"));
    }

    [Fact]
    public async Task An_idle_plain_connection_is_closed_when_the_time_for_draining_is_over()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        app.SetPermissive();
        await using var stream = await MeshCaller.ConnectAsync(app.Port);
        await AskAsync(stream);
        app.SetStrict();
        app.Time.Advance(TimeSpan.FromSeconds(44));
        app.Listener.Connections.Count.ShouldBe(1);

        app.Time.Advance(TimeSpan.FromSeconds(1));

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
    }

    [Fact]
    public async Task HTTP_2_is_sent_GOAWAY_at_once_and_its_requests_are_finished()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        using var client = MeshCaller.Plain(app.Port, http2: true);
        await client.GetStringAsync("/who");
        app.Listener.Connections.Count.ShouldBe(1);

        app.SetStrict();

        await app.UntilNoConnectionsAsync();
    }

    [Fact]
    public async Task Mutual_TLS_goes_on_when_the_mode_becomes_STRICT_and_when_filters_change()
    {
        await using var app = await InboundApp.StartAsync();
        var tls = app.Tls();
        app.Set(Listeners.Permissive(app.EndPoint, tls));
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await AskAsync(stream);

        app.Set(Listeners.Strict(app.EndPoint, tls));

        (await AskAsync(stream)).ShouldNotContain("Connection: close");
        app.Listener.Connections.ShouldHaveSingleItem().Chain.Resource.Name.ShouldBe("tls");
    }

    [Fact]
    public async Task A_listener_that_is_taken_away_lets_nobody_in_and_drains()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await AskAsync(stream);

        app.RemoveListener(Listeners.NameOf(app.EndPoint));

        (await AskAsync(stream)).ShouldContain("Connection: close");
        (await MeshCaller.IsRefusedAsync(app.Port, app.Workload(), "istio-http/1.1")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_new_certificate_drops_nobody_and_is_shown_to_the_next()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
        var first = app.Workload("server");
        app.Set(Listeners.CertificateSecret("cert", first));
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await AskAsync(stream);
        stream.RemoteCertificate!.GetSerialNumberString().ShouldBe(first.SerialNumber);

        var second = app.Workload("server");
        app.Set(Listeners.CertificateSecret("cert", second));

        (await AskAsync(stream)).ShouldNotContain("Connection: close");
        await using var next = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        next.RemoteCertificate!.GetSerialNumberString().ShouldBe(second.SerialNumber);
    }

    [Fact]
    public async Task A_root_that_is_added_drops_nobody_and_one_that_goes_drops_those_whom_it_has_signed()
    {
        await using var app = await InboundApp.StartAsync();
        using var other = new TestCertificateAuthority("Other");
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
        app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));
        await using var old = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), "istio-http/1.1");
        await AskAsync(old);

        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem, other.Pem));
        await using var young = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), other.Issue("spiffe://cluster.local/ns/default/sa/young"), "istio-http/1.1");
        (await AskAsync(young)).ShouldContain("/sa/young");
        (await AskAsync(old)).ShouldNotContain("Connection: close");

        app.Set(Listeners.TrustSecret("trust", other.Pem));
        await app.UntilAsync(() => app.Listener.Connections.Any(c => c.IsDraining));

        (await AskAsync(old)).ShouldContain("Connection: close");
        (await AskAsync(young)).ShouldNotContain("Connection: close");
        (await MeshCaller.IsRefusedAsync(app.Port, app.Workload(), "istio-http/1.1")).ShouldBeTrue();
    }

    [Fact]
    public async Task Trust_that_ends_while_a_connection_is_on_its_way_in_does_not_let_it_stay()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        using var other = new TestCertificateAuthority("Other");
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
        app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));

        // Where no protocol has been agreed upon, the first bytes after the handshake say which it is: until they come it is not in.
        await using var stream = await MeshCaller.SecureAsync(await MeshCaller.ConnectAsync(app.Port), app.Workload(), alpn: null);
        await app.UntilAsync(() => app.Listener.Counters.Handshakes.Value == 1);
        app.Listener.Connections.ShouldBeEmpty();

        app.Set(Listeners.TrustSecret("trust", other.Pem));

        (await AskAsync(stream)).ShouldContain("Connection: close");
    }

    [Fact]
    public async Task A_session_is_resumed_but_never_by_trust_that_has_ended()
    {
        await using var app = await InboundApp.StartAsync();
        using var other = new TestCertificateAuthority("Other");
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
        app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));
        var context = SslStreamCertificateContext.Create(app.Workload(), null, offline: true);
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await ResumableAsync(app.Port, context);
            (await AskAsync(stream)).ShouldContain("/sa/client");
        }

        app.Set(Listeners.TrustSecret("trust", other.Pem));

        await Should.ThrowAsync<IOException>(async () =>
        {
            await using var stream = await ResumableAsync(app.Port, context);
            await AskAsync(stream);
        });
    }

    [Fact]
    public async Task A_session_is_resumed_whose_peer_is_of_an_authority_below_the_trusted_one()
    {
        await using var app = await InboundApp.StartAsync();
        using var below = app.Authority.CreateSubordinate("Below");
        using var other = new TestCertificateAuthority("Other");
        app.SetStrict();
        using var workload = below.Issue("spiffe://cluster.local/ns/default/sa/client");
        var context = SslStreamCertificateContext.Create(workload, [below.Certificate], offline: true);

        // From the second on its ticket has the workload's certificate and nothing beside it.
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await ResumableAsync(app.Port, context);
            (await AskAsync(stream)).ShouldContain("/sa/client");
        }

        var stranger = SslStreamCertificateContext.Create(workload, null, offline: true);
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls(app.Workload("server"), other.Pem)));
        await Should.ThrowAsync<IOException>(async () =>
        {
            await using var stream = await ResumableAsync(app.Port, stranger);
            await AskAsync(stream);
        });
    }

    private static async Task<SslStream> ResumableAsync(int port, SslStreamCertificateContext context)
    {
        var stream = new SslStream(await MeshCaller.ConnectAsync(port));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "app",
            ClientCertificateContext = context,
            ApplicationProtocols = [new("istio-http/1.1")],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
        return stream;
    }
}
