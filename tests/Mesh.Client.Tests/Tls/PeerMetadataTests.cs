using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace Mesh.Client.Tests.Tls;

/// <summary>What a client tells workloads of itself, and nobody else.</summary>
public sealed class PeerMetadataTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_workload_is_told_who_calls_with_every_request_and_the_caller_gets_its_message_back(bool http2)
    {
        await using var world = World();
        var server = await world.StartAsync(http2: http2);
        var told = Told(server);
        world.Serve(
            cluster =>
            {
                if (http2)
                {
                    MutualTlsWorld.Http2(cluster);
                }

                cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context(http2 ? "h2" : "http/1.1"));
            },
            server.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, MutualTlsWorld.Address) { Headers = { { "x-own", "1" } } };
        using var named = new HttpRequestMessage(HttpMethod.Get, MutualTlsWorld.Address)
        {
            Headers = { { PeerMetadata.Header, "somebody" }, { PeerMetadata.IdHeader, "else" } },
        };

        foreach (var message in new[] { request, named })
        {
            using var response = await world.Mesh.Client().SendAsync(message).Within();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);

            // A sidecar answers in kind; that is not for the application either.
            response.Headers.Select(h => h.Key).ShouldNotContain(name => name.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase));
        }

        told.Count.ShouldBe(2);
        told.ShouldAllBe(t => t.Id!.StartsWith("sidecar~") && !t.Text!.Contains("somebody"));
        var peer = new PeerMetadata().Read("spiffe://cluster.local/ns/shop/sa/web", told.First().Id, told.First().Text).ShouldNotBeNull();
        (peer.Workload, peer.Namespace, peer.App, peer.Version, peer.CanonicalService, peer.CanonicalRevision, peer.Cluster)
            .ShouldBe(("web", "shop", "web", "v3", "shop-front", "v3", "Kubernetes"));
        told.First().Text!.Length.ShouldBeLessThan(400);
        request.Headers.ToString().ReplaceLineEndings("\n").ShouldBe("x-own: 1\n");
        (named.Headers.GetValues(PeerMetadata.Header).Single(), named.Headers.GetValues(PeerMetadata.IdHeader).Single()).ShouldBe(("somebody", "else"));
    }

    [Fact]
    public async Task Whoever_is_spoken_to_in_clear_text_is_told_nothing_be_it_after_a_workload_has_failed()
    {
        await using var world = World();
        var secure = await world.StartAsync();
        var plain = await world.StartAsync(isPlain: true);
        var toSecure = Told(secure, status: 503);
        var toPlain = Told(plain);
        world.Serve(Automatic);
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(secure.Port, "istio"), Endpoint(plain.Port, null)));
        world.Mesh.Xds.Set(RouteConfigurationType.Instance, Routes(route => route.RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 1 }));

        for (var i = 0; i < 4; i++)
        {
            (await world.GetAsync()).Status.ShouldBe(200);
        }

        toSecure.ShouldNotBeEmpty();
        toSecure.ShouldAllBe(t => t.Id != null && t.Text != null);
        toPlain.Count.ShouldBe(4);
        toPlain.ShouldAllBe(t => t.Id == null && t.Text == null);
    }

    [Fact]
    public async Task A_server_that_is_known_by_other_authorities_than_the_meshs_is_told_nothing()
    {
        await using var world = World();
        var server = await world.StartAsync();
        var told = Told(server);
        var context = MutualTlsWorld.Context();
        context.CommonTlsContext.CombinedValidationContext = null;
        context.CommonTlsContext.ValidationContext = new() { TrustedCa = new() { InlineString = world.Root.Certificate.ExportCertificatePem() } };
        world.Serve(context, server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        told.ShouldHaveSingleItem().ShouldBe((null, null));
    }

    [Fact]
    public async Task Inside_the_callers_own_TLS_nobody_is_told()
    {
        await using var net = OutsideNet.Start();
        var host = await net.AddHostAsync("reviews");
        await using var world = World(services => services.AddHttpClient("").ConfigurePrimaryHttpMessageHandler(
            () => new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = net.Authority.CreateChainPolicy() } }));
        world.Serve(_ => { });
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Fixture.Endpoint(host.Address.ToString(), OutsideNet.LocalPort(443))));

        (await world.GetAsync("https://reviews:9080/")).Status.ShouldBe(200);

        host.Seen.ShouldHaveSingleItem().Headers.Keys.ShouldNotContain(name => name.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Copies_that_a_route_sends_elsewhere_tell_it_too()
    {
        await using var world = World();
        var server = await world.StartAsync();
        var told = Told(server);
        world.Serve(MutualTlsWorld.Context(), server.Port);
        world.Mesh.Xds.Set(
            RouteConfigurationType.Instance,
            Routes(route => route.RequestMirrorPolicies.Add(new RouteAction.Types.RequestMirrorPolicy { Cluster = MutualTlsWorld.Authority })));

        (await world.GetAsync()).Status.ShouldBe(200);
        (await Hang.Until(() => told.Count == 2)).ShouldBeTrue();
        told.ShouldAllBe(t => t.Id != null && t.Text != null);
    }

    [Fact]
    public async Task Who_does_not_want_to_tells_nothing()
    {
        await using var world = World(options: o => o.Metrics.PeerMetadata = false);
        var server = await world.StartAsync();
        var told = Told(server);
        world.Serve(MutualTlsWorld.Context(), server.Port);

        (await world.GetAsync()).Status.ShouldBe(200);

        told.ShouldHaveSingleItem().ShouldBe((null, null));
    }

    private static MutualTlsWorld World(Action<IServiceCollection>? configure = null, Action<MeshOptions>? options = null)
        => new MutualTlsWorld(
            options: o =>
            {
                o.Workload = new MeshWorkload("web")
                {
                    Namespace = "shop",
                    Version = "v3",
                    Labels = { ["service.istio.io/canonical-name"] = "shop-front" },
                };
                options?.Invoke(o);
            },
            configure: configure).Identify();

    private static ConcurrentQueue<(string? Id, string? Text)> Told(WorkloadServer server, int status = 200)
    {
        var told = new ConcurrentQueue<(string?, string?)>();
        server.Answer(context =>
        {
            told.Enqueue((context.Request.Headers[PeerMetadata.IdHeader], context.Request.Headers[PeerMetadata.Header]));
            context.Response.Headers[PeerMetadata.IdHeader] = "sidecar~10.0.0.2~reviews";
            context.Response.Headers[PeerMetadata.Header] = "me";
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        return told;
    }

    private static RouteConfiguration Routes(Action<RouteAction> configure)
    {
        var route = Fixture.Prefix("/", MutualTlsWorld.Authority);
        configure(route.Route_);
        return Fixture.Routes(MutualTlsWorld.Authority, route);
    }

    private static void Automatic(Envoy.Config.Cluster.V3.Cluster cluster)
    {
        cluster.TransportSocketMatches.Add(new Envoy.Config.Cluster.V3.Cluster.Types.TransportSocketMatch
        {
            Name = "tlsMode-istio",
            Match = new Struct { Fields = { ["tlsMode"] = Value.ForString("istio") } },
            TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context()),
        });
        cluster.TransportSocketMatches.Add(new Envoy.Config.Cluster.V3.Cluster.Types.TransportSocketMatch
        {
            Name = "tlsMode-disabled",
            Match = new Struct(),
            TransportSocket = new TransportSocket { Name = "envoy.transport_sockets.raw_buffer", TypedConfig = Any.Pack(new RawBuffer()) },
        });
    }

    private static ClusterLoadAssignment Endpoints(params LbEndpoint[] endpoints)
        => new() { ClusterName = MutualTlsWorld.Authority, Endpoints = { new LocalityLbEndpoints { LbEndpoints = { endpoints } } } };

    private static LbEndpoint Endpoint(int port, string? tlsMode)
    {
        var endpoint = Fixture.Endpoint("127.0.0.1", port);
        if (tlsMode is not null)
        {
            endpoint.Metadata = new() { FilterMetadata = { ["envoy.transport_socket_match"] = new Struct { Fields = { ["tlsMode"] = Value.ForString(tlsMode) } } } };
        }

        return endpoint;
    }
}
