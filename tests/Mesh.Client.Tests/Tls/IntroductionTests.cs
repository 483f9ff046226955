using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Mesh.Client.Tests.Tls;

/// <summary>Connections that begin with who calls, to servers that are able to read it: their requests do not say it again.</summary>
public sealed class IntroductionTests
{
    private const string Principal = "spiffe://cluster.local/ns/shop/sa/web";

    private static readonly string[] Able = [MeshAlpn.IntroducedHttp2, MeshAlpn.IntroducedHttp11, MeshAlpn.Http2, MeshAlpn.Http11, MeshAlpn.Any];

    private static readonly string[] Both = [MeshAlpn.IntroducedHttp2, MeshAlpn.IntroducedHttp11, MeshAlpn.Http2, "h2", MeshAlpn.Http11, "http/1.1"];

    // Envoy's own list, where Istio says nothing else.
    private static readonly string[] Foreign = [MeshAlpn.Http2, MeshAlpn.Http11, MeshAlpn.Any];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_is_told_who_calls_once_for_a_connection(bool http2)
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server);
        Serve(world, http2, server);

        for (var i = 0; i < 4; i++)
        {
            (await world.GetAsync()).Status.ShouldBe(200);
        }

        // Of the first request nobody knew yet whom it would reach.
        told.Select(t => t.Text is not null).ShouldBe([true, false, false, false]);
        told.Select(t => t.Id is not null).ShouldBe([true, false, false, false]);
        told.ShouldAllBe(t => t.IsIntroduced);
        server.Seen.ShouldAllBe(s => s.Protocol == (http2 ? "HTTP/2" : "HTTP/1.1") && s.Alpn == (http2 ? MeshAlpn.IntroducedHttp2 : MeshAlpn.IntroducedHttp11));
        var peer = new PeerMetadata().ReadIntroduction(Principal, server.Introductions.ShouldHaveSingleItem()).ShouldNotBeNull();
        peer.ShouldBe(new PeerMetadata().Read(Principal, told.First().Id, told.First().Text));
        (peer.Workload, peer.Namespace, peer.App, peer.Version, peer.CanonicalService).ShouldBe(("web", "shop", "web", "v3", "shop-front"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_new_connection_tells_it_before_its_first_request(bool http2)
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server, ends: true);
        Serve(world, http2, server);

        for (var i = 0; i < 4; i++)
        {
            await OneAsync(world);
        }

        told.Select(t => t.Text is not null).ShouldBe([true, false, false, false]);
        told.ShouldAllBe(t => t.IsIntroduced);
        server.Introductions.Count.ShouldBe(4);
        server.Introductions.ShouldAllBe(i => i.SequenceEqual(server.Introductions[0]));
    }

    [Fact]
    public async Task Neither_the_servers_answer_nor_the_callers_message_has_anything_of_it()
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server);
        Serve(world, http2: false, server);
        await world.GetAsync();
        using var named = new HttpRequestMessage(HttpMethod.Get, MutualTlsWorld.Address) { Headers = { { PeerMetadata.Header, "somebody" }, { PeerMetadata.IdHeader, "else" } } };

        using var response = await world.Mesh.Client().SendAsync(named).Within();

        response.Headers.Select(h => h.Key).ShouldNotContain(name => name.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase));
        told.Last().ShouldBe((null, null, true));
        (named.Headers.GetValues(PeerMetadata.Header).Single(), named.Headers.GetValues(PeerMetadata.IdHeader).Single()).ShouldBe(("somebody", "else"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_foreign_server_that_takes_the_address_over_is_told_by_each_request(bool http2)
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server, ends: true);
        Serve(world, http2, server);
        await OneAsync(world);
        await OneAsync(world);
        told.Last().ShouldBe((null, null, true));

        server.Speak(Foreign);
        await OneAsync(world);
        await OneAsync(world);
        server.Speak(Able);
        await OneAsync(world);

        told.Count.ShouldBe(5);
        told.Skip(2).ShouldAllBe(t => t.Id != null && t.Text != null && !t.IsIntroduced);
        (await world.GetAsync()).ShouldBe((200, "once"));
    }

    [Fact]
    public async Task Whatever_changes_meanwhile_no_request_of_many_leaves_the_server_without_it()
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server, ends: true);
        Serve(world, http2: false, server);

        for (var i = 0; i < 6; i++)
        {
            server.Speak(i % 2 == 0 ? Able : Foreign);
            (await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => world.Mesh.Client().GetAsync(MutualTlsWorld.Address).Within())))
                .ShouldAllBe(response => response.StatusCode == HttpStatusCode.OK);
        }

        told.Count.ShouldBe(6 * 24);
        told.ShouldAllBe(t => t.IsIntroduced || (t.Id != null && t.Text != null));
    }

    [Fact]
    public async Task A_server_of_any_protocol_is_told_by_each_request_where_only_the_handshake_says_what_is_spoken()
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Both);
        var told = Told(server);
        world.Serve(
            cluster =>
            {
                cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context());
                cluster.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Google.Protobuf.WellKnownTypes.Any.Pack(
                    new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions { AutoConfig = new() { HttpProtocolOptions = new(), Http2ProtocolOptions = new() } });
            },
            server.Port);

        for (var i = 0; i < 3; i++)
        {
            (await world.GetAsync()).Status.ShouldBe(200);
        }

        told.Count.ShouldBe(3);
        told.ShouldAllBe(t => t.Id != null && t.Text != null && !t.IsIntroduced);
        server.Seen.ShouldAllBe(s => s.Protocol == "HTTP/2");
    }

    [Fact]
    public async Task Requests_of_both_versions_to_one_server_are_each_right()
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: Both);
        var told = Told(server);
        world.Serve(
            cluster =>
            {
                cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context());
                cluster.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Google.Protobuf.WellKnownTypes.Any.Pack(
                    new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions { UseDownstreamProtocolConfig = new() { HttpProtocolOptions = new(), Http2ProtocolOptions = new() } });
            },
            server.Port);
        for (var i = 0; i < 3; i++)
        {
            foreach (var (version, policy) in new[]
            {
                (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower), (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower),
                (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact),
            })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, MutualTlsWorld.Address) { Version = version, VersionPolicy = policy };
                using var response = await world.Mesh.Client().SendAsync(request).Within();
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
            }
        }

        told.Count.ShouldBe(9);
        told.ShouldAllBe(t => t.IsIntroduced || (t.Id != null && t.Text != null));
        server.Introductions.Count.ShouldBe(2);
        told.Count(t => t.Text is null).ShouldBe(5);
    }

    [Fact]
    public async Task Whoever_does_not_want_to_tell_it_does_not_offer_to()
    {
        await using var world = World(options => options.Metrics.PeerMetadata = false);
        var server = await world.StartAsync(protocols: Able);
        var told = Told(server);
        Serve(world, http2: false, server);

        (await world.GetAsync()).Status.ShouldBe(200);

        told.ShouldHaveSingleItem().ShouldBe((null, null, false));
        server.Seen.ShouldHaveSingleItem().Alpn.ShouldBe(MeshAlpn.Http11);
    }

    [Fact]
    public async Task A_server_that_is_known_by_other_authorities_than_the_meshs_is_not_offered_it()
    {
        await using var world = World();
        var server = await world.StartAsync(protocols: [.. Able, "http/1.1"]);
        var told = Told(server);
        var context = MutualTlsWorld.Context();
        context.CommonTlsContext.CombinedValidationContext = null;
        context.CommonTlsContext.ValidationContext = new() { TrustedCa = new() { InlineString = world.Root.Certificate.ExportCertificatePem() } };
        world.Serve(context, server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        told.ShouldHaveSingleItem().ShouldBe((null, null, false));
    }

    private static MutualTlsWorld World(Action<MeshOptions>? options = null)
        => new MutualTlsWorld(options: o =>
        {
            o.Workload = new MeshWorkload("web")
            {
                Namespace = "shop",
                Version = "v3",
                Labels = { ["service.istio.io/canonical-name"] = "shop-front" },
            };
            options?.Invoke(o);
        }).Identify();

    private static void Serve(MutualTlsWorld world, bool http2, WorkloadServer server)
        => world.Serve(
            cluster =>
            {
                if (http2)
                {
                    MutualTlsWorld.Http2(cluster);
                }

                cluster.TransportSocket = MutualTlsWorld.Socket(http2 ? MutualTlsWorld.Context(MeshAlpn.Http2, MeshAlpn.Any) : MutualTlsWorld.Context(MeshAlpn.Http11, MeshAlpn.Any));
            },
            server.Port);

    private static ConcurrentQueue<(string? Id, string? Text, bool IsIntroduced)> Told(WorkloadServer server, bool ends = false)
    {
        var told = new ConcurrentQueue<(string?, string?, bool)>();
        server.Answer(context =>
        {
            told.Enqueue((
                context.Request.Headers[PeerMetadata.IdHeader],
                context.Request.Headers[PeerMetadata.Header],
                context.Features.Get<IConnectionItemsFeature>()!.Items.ContainsKey("introduction")));
            if (ends && context.Request.Protocol == "HTTP/2")
            {
                context.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
            }
            else if (ends)
            {
                context.Response.Headers.Connection = "close";
            }

            return context.Response.WriteAsync("once");
        });
        return told;
    }

    // The next one finds no connection any more.
    private static async Task OneAsync(MutualTlsWorld world)
    {
        (await world.GetAsync()).ShouldBe((200, "once"));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (world.Mesh.Engine.Clusters.All.Any(c => c.Cluster.Stats.ActiveConnections.Value > 0))
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
