using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Server.Tests.Inbound;

/// <summary>Clients that are not the mesh's, and keep a connection for longer than the certificates say that it was made with.</summary>
public sealed class EndingCertificateTests
{
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan _drain = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_client_is_told_to_close_by_the_next_response_when_its_certificate_is_about_to_end()
    {
        await using var app = await StartAsync();
        app.SetStrict();
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));
        app.Time.Advance(_hour - (_drain * 2) - _second);
        (await MeshCaller.AskAsync(stream)).ShouldNotContain("Connection: close");

        app.Time.Advance(_second);

        (await MeshCaller.AskAsync(stream)).ShouldContain("Connection: close");
        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_connection_that_nobody_uses_is_closed_before_the_certificate_ends_and_told_of()
    {
        await using var app = await StartAsync();
        app.SetStrict();
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));
        app.Time.Advance(_hour - _drain - _second);
        app.Listener.Connections.Count.ShouldBe(1);
        app.Logs.Lines.ShouldNotContain(line => line.Contains("a certificate that it was made with ends", StringComparison.Ordinal));

        app.Time.Advance(_second);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        app.Logs.Lines.ShouldContain(line => line.Contains("a certificate that it was made with ends at 2000-01-01 01:00:00Z", StringComparison.Ordinal));
        await app.UntilNoConnectionsAsync();
    }

    [Fact]
    public async Task A_request_that_is_being_served_is_cut_off_when_the_certificate_ends_and_not_before()
    {
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(pipeline: app => app.Use(async (context, next) =>
        {
            if (context.Request.Path == "/slow")
            {
                arrived.TrySetResult();
                await answer.Task;
            }

            await next(context);
        }));
        app.SetStrict();
        await using var patient = await ConnectAsync(app, EndingIn(app, _hour * 2));
        await patient.WriteAsync("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
        await arrived.Task;
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));
        await stream.WriteAsync("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
        await app.UntilAsync(() => app.Listener.Connections.All(connection => !connection.IsIdle));
        app.Time.Advance(_hour - _second);
        app.Listener.Connections.Count.ShouldBe(2);

        app.Time.Advance(_second);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        app.Time.Advance(_hour - _second);
        answer.SetResult();
        (await patient.ReadAsync(new byte[1])).ShouldBe(1);
    }

    [Fact]
    public async Task HTTP_2_is_sent_GOAWAY_and_its_requests_are_finished()
    {
        await using var app = await StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, EndingIn(app, _hour), "istio-h2", http2: true);
        await client.GetStringAsync("/who");
        app.Listener.Connections.Count.ShouldBe(1);

        app.Time.Advance(_hour - (_drain * 2));

        await app.UntilNoConnectionsAsync();
        app.Logs.Lines.ShouldNotContain(line => line.Contains("a certificate that it was made with ends", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_servers_certificate_counts_when_it_ends_before_the_clients()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));
        app.Set(Listeners.CertificateSecret("cert", EndingIn(app, _hour)));
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour * 2));

        // What is shown to the next counts for the next.
        app.Set(Listeners.CertificateSecret("cert", EndingIn(app, _hour * 3)));
        app.Time.Advance(_hour - (_drain * 2) - _second);
        await using var next = await ConnectAsync(app, EndingIn(app, _hour * 2));
        app.Time.Advance(_drain + _second);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
        (await MeshCaller.AskAsync(next)).ShouldNotContain("Connection: close");
    }

    [Fact]
    public async Task Connections_that_were_made_together_do_not_end_together()
    {
        await using var app = await StartAsync(new Draws(0, ulong.MaxValue));
        app.SetStrict();
        var certificate = EndingIn(app, _hour);
        await using var late = await ConnectAsync(app, certificate);
        await using var early = await ConnectAsync(app, certificate);

        app.Time.Advance(_hour * 0.9);

        (await MeshCaller.EndsAsync(early)).ShouldBeTrue();
        (await MeshCaller.AskAsync(late)).ShouldNotContain("Connection: close");
    }

    [Fact]
    public async Task A_connection_of_bytes_has_all_of_its_time()
    {
        await using var app = await StartAsync(new Draws(ulong.MaxValue));
        app.Set(Listeners.Listener(app.EndPoint, Listeners.PassOn("bytes", new FilterChainMatch(), app.Tls())));
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));
        app.Time.Advance(_hour - _drain - _second);
        (await MeshCaller.AskAsync(stream)).ShouldNotContain("Connection: close");
        app.Time.Advance(_drain);
        app.Listener.Connections.Count.ShouldBe(1);

        app.Time.Advance(_second);

        (await MeshCaller.EndsAsync(stream)).ShouldBeTrue();
    }

    [Fact]
    public async Task Certificates_that_last_longer_than_any_timer_end_nothing_before()
    {
        await using var app = await StartAsync();
        app.SetStrict();
        await using var stream = await ConnectAsync(app, app.Workload());

        app.Time.Advance(TimeSpan.FromDays(365));

        (await MeshCaller.AskAsync(stream)).ShouldNotContain("Connection: close");
    }

    [Fact]
    public async Task Where_a_certificate_may_have_ended_its_end_closes_nothing()
    {
        await using var app = await StartAsync();
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls(new CommonTlsContext
        {
            TlsCertificateSdsSecretConfigs = { new SdsSecretConfig { Name = "cert", SdsConfig = new() { Ads = new() } } },
            ValidationContext = new CertificateValidationContext { TrustedCa = new() { InlineString = app.Authority.Pem }, AllowExpiredCertificate = true },
        })));
        app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));

        app.Time.Advance(_hour * 2);

        (await MeshCaller.AskAsync(stream)).ShouldNotContain("Connection: close");
    }

    [Fact]
    public async Task A_server_that_is_told_to_lets_connections_live()
    {
        await using var app = await StartAsync(mesh: options => options.Server.EndConnectionsWithCertificate = false);
        app.SetStrict();
        await using var stream = await ConnectAsync(app, EndingIn(app, _hour));

        app.Time.Advance(_hour * 2);

        (await MeshCaller.AskAsync(stream)).ShouldNotContain("Connection: close");
    }

    [Fact]
    public async Task A_connection_that_is_over_leaves_no_timer()
    {
        await using var app = await StartAsync();
        app.SetStrict();
        await using (var stream = await ConnectAsync(app, EndingIn(app, _hour)))
        {
            app.Listener.Connections.ShouldHaveSingleItem().Expiry.ShouldNotBeNull();
        }

        await app.UntilNoConnectionsAsync();
        app.Time.Advance(_hour);

        app.Logs.Lines.ShouldNotContain(line => line.Contains("a certificate that it was made with ends", StringComparison.Ordinal));
    }

    // A draw of nothing lets a connection last as long as its certificate does.
    private static Task<InboundApp> StartAsync(IRandomSource? random = null, Action<WebApplication>? pipeline = null, Action<MeshOptions>? mesh = null)
        => InboundApp.StartAsync(mesh: mesh, pipeline: pipeline, after: builder => builder.Services.Replace(ServiceDescriptor.Singleton(random ?? new Draws(0))), manualTime: true);

    private static X509Certificate2 EndingIn(InboundApp app, TimeSpan lifetime)
        => app.Authority.IssueUntil(app.Time.GetUtcNow() + lifetime, "spiffe://cluster.local/ns/default/sa/client");

    private static async Task<SslStream> ConnectAsync(InboundApp app, X509Certificate2 certificate)
    {
        var plain = await MeshCaller.ConnectAsync(app.Port);
        var port = ((IPEndPoint)plain.Socket.LocalEndPoint!).Port;
        var stream = await MeshCaller.SecureAsync(plain, certificate, "istio-http/1.1");

        // TLS 1.3 has finished for the client before it has for the server, and so has a request.
        await MeshCaller.AskAsync(stream);
        await app.UntilAsync(() => app.Listener.Connections.Single(connection => connection.Facts.RemoteEndPoint!.Port == port).IsIdle);
        return stream;
    }

    private sealed class Draws(params ulong[] draws) : IRandomSource
    {
        private int _next = -1;

        public ulong NextUInt64() => draws[Math.Min(Interlocked.Increment(ref _next), draws.Length - 1)];
    }
}
