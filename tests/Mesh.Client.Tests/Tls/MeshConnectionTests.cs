using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Envoy.Config.Core.V3;
using Mesh.Client.Tests.Tcp;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Tls;

/// <summary>What is no request takes mutual TLS too: connections, WebSockets, health checks.</summary>
public sealed class MeshConnectionTests
{
    [Fact]
    public async Task Connections_of_drivers_show_who_they_are()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync(protocols: [MeshAlpn.PeerExchange, MeshAlpn.Any]);
        SetTcp(world, server.Port);

        await using var stream = await world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: raw\r\n\r\n"u8.ToArray()).AsTask().Within();
        var buffer = new byte[15];
        await stream.ReadExactlyAsync(buffer).AsTask().Within();

        Encoding.ASCII.GetString(buffer).ShouldBe("HTTP/1.1 200 OK");
        var seen = server.Seen.ShouldHaveSingleItem();
        seen.Caller.ShouldBe(WorkloadCertificates.Account("productpage"));
        seen.Alpn.ShouldBe(MeshAlpn.Any, "whoever is offered the exchange of metadata begins with it");
        seen.ServerName.ShouldBe(MutualTlsWorld.Sni);
    }

    [Fact]
    public async Task A_connection_ends_with_the_trust_that_it_rests_on()
    {
        using var next = new Mesh.TestNet.TestCertificateAuthority("Next");
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync(protocols: [MeshAlpn.Any]);
        SetTcp(world, server.Port);
        await using var stream = await world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within();
        var read = stream.ReadAsync(new byte[1]).AsTask();

        world.Identity.Set(WorkloadCertificates.CertificateSecret(world.Root.IssueWorkload("productpage")));
        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(world.Root, next));
        read.IsCompleted.ShouldBeFalse();

        world.Identity.Set(WorkloadCertificates.AuthoritiesSecret(next));
        await Should.ThrowAsync<IOException>(read.Within());
        await Should.ThrowAsync<SocketException>(world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
    }

    [Fact]
    public async Task A_connection_that_is_silent_closes_before_its_certificate_ends()
    {
        var time = new ManualTimeProvider(new DateTimeOffset(2090, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var world = new MutualTlsWorld(time: time).Identify(until: time.GetUtcNow().AddHours(24));
        var server = await world.StartAsync(protocols: [MeshAlpn.Any]);
        SetTcp(world, server.Port, neverIdle: true);
        await using var stream = await world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within();
        var read = stream.ReadAsync(new byte[1]).AsTask();

        time.Advance(TimeSpan.FromHours(11));
        read.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromHours(11));

        (await Should.ThrowAsync<IOException>(read.Within())).Message.ShouldContain("a certificate that it was made with ends at 2090-01-02 00:00:00Z; connect again");
    }

    [Fact]
    public async Task A_connection_that_is_never_silent_closes_with_its_certificate()
    {
        var time = new ManualTimeProvider(new DateTimeOffset(2090, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var world = new MutualTlsWorld(time: time).Identify(until: time.GetUtcNow().AddMinutes(4));
        var server = await world.StartAsync(protocols: [MeshAlpn.Any]);
        SetTcp(world, server.Port, neverIdle: true);
        await using var stream = await world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within();

        for (var i = 0; i < 47; i++)
        {
            await stream.WriteAsync("x"u8.ToArray()).AsTask().Within();
            time.Advance(TimeSpan.FromSeconds(5));
        }

        await stream.WriteAsync("x"u8.ToArray()).AsTask().Within();
        time.Advance(TimeSpan.FromSeconds(5));
        await Should.ThrowAsync<IOException>(stream.WriteAsync("x"u8.ToArray()).AsTask().Within());
    }

    [Fact]
    public async Task Connections_without_an_identity_are_not_made()
    {
        await using var world = new MutualTlsWorld(hasIdentity: false);
        var server = await world.StartAsync();
        SetTcp(world, server.Port);

        var failure = await Should.ThrowAsync<SocketException>(world.Mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        failure.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UF");
        failure.Message.ShouldContain("this workload has no identity");
        server.Handshakes.ShouldBe(0);
    }

    [Fact]
    public async Task WebSockets_go_through_it()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        server.Answer(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[64];
            var received = await socket.ReceiveAsync(buffer, default);
            await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, true, default);
        });
        world.Serve(MutualTlsWorld.Context(), server.Port);
        using var socket = new ClientWebSocket();

        await socket.ConnectAsync(new Uri("ws://reviews:9080/"), world.Mesh.Invoker(), default).Within();
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default).Within();
        var answer = new byte[64];
        var received = await socket.ReceiveAsync(answer, default).Within();

        Encoding.ASCII.GetString(answer, 0, received.Count).ShouldBe("hello");
        server.Seen.ShouldHaveSingleItem().Caller.ShouldBe(WorkloadCertificates.Account("productpage"));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("tcp")]
    public async Task Health_checks_go_through_it(string kind)
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(
            cluster =>
            {
                var check = new HealthCheck { Timeout = new() { Seconds = 20 }, Interval = new() { Seconds = 60 }, UnhealthyThreshold = 1, HealthyThreshold = 1 };
                if (kind == "http")
                {
                    check.HttpHealthCheck = new() { Path = "/healthz" };
                    check.TlsOptions = new() { AlpnProtocols = { "http/1.1" } };
                }
                else
                {
                    check.TcpHealthCheck = new()
                    {
                        Send = new() { Text = Convert.ToHexString("GET / HTTP/1.1\r\nHost: check\r\n\r\n"u8) },
                        Receive = { new HealthCheck.Types.Payload { Text = Convert.ToHexString("200 OK"u8) } },
                    };
                }

                cluster.HealthChecks.Add(check);
                cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context());
            },
            server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        server.Seen.Count.ShouldBe(2);
        server.Seen[0].Caller.ShouldBe(WorkloadCertificates.Account("productpage"));
        server.Seen[0].Alpn.ShouldBe(kind == "http" ? "http/1.1" : MeshAlpn.Any);
    }

    private static void SetTcp(MutualTlsWorld world, int port, bool neverIdle = false)
    {
        var proxy = TcpRules.To("mysql");
        if (neverIdle)
        {
            proxy.IdleTimeout = new Google.Protobuf.WellKnownTypes.Duration();
        }

        var cluster = Fixture.Cluster("mysql");
        cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context(MeshAlpn.PeerExchange, MeshAlpn.Any));
        world.Mesh.Xds.Set(ClusterType.Instance, cluster);
        world.Mesh.SetEndpoints("mysql", port).Listen(TcpRules.Chain(proxy));
    }
}
