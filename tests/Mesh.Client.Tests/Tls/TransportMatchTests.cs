using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Tls;

/// <summary>Auto-mTLS: each endpoint is spoken to as it can be (<c>transport_socket_matches</c>).</summary>
public sealed class TransportMatchTests
{
    private static readonly TransportSocket Raw = new() { Name = "envoy.transport_sockets.raw_buffer", TypedConfig = Any.Pack(new RawBuffer()) };

    [Fact]
    public async Task Mutual_TLS_is_spoken_with_the_endpoints_that_can_and_with_no_other()
    {
        await using var world = new MutualTlsWorld().Identify();
        var secure = await world.StartAsync();
        var plain = await world.StartAsync(isPlain: true);
        world.Serve(Automatic);
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(secure.Port, "istio"), Endpoint(plain.Port, null)));

        for (var i = 0; i < 6; i++)
        {
            (await world.GetAsync()).Status.ShouldBe(200);
        }

        secure.Seen.Count.ShouldBe(3);
        secure.Seen.ShouldAllBe(seen => seen.Caller == WorkloadCertificates.Account("productpage"));
        plain.Seen.Count.ShouldBe(3);
        plain.Seen.ShouldAllBe(seen => seen.Caller == null);
    }

    [Fact]
    public async Task Without_an_identity_the_endpoints_that_want_one_fail_and_the_others_serve()
    {
        await using var world = new MutualTlsWorld(hasIdentity: false);
        var secure = await world.StartAsync();
        var plain = await world.StartAsync(isPlain: true);
        world.Serve(Automatic);
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(secure.Port, "istio"), Endpoint(plain.Port, null)));

        var answers = new[] { await world.GetAsync(), await world.GetAsync() };

        answers.Select(a => a.Status).ShouldBe([200, 503], ignoreOrder: true);
        answers.Single(a => a.Status == 503).Body.ShouldContain("the workload has no identity");
        secure.Seen.ShouldBeEmpty();
        plain.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_endpoint_that_has_learned_it_is_spoken_to_in_TLS_from_the_next_request_on()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(Automatic);
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(server.Port, null)));
        (await world.GetAsync()).Status.ShouldNotBe(200);

        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(server.Port, "istio")));

        (await world.GetAsync()).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_first_match_is_taken_and_without_one_the_clusters_own_socket()
    {
        await using var world = new MutualTlsWorld().Identify();
        var secure = await world.StartAsync();
        var plain = await world.StartAsync(isPlain: true);
        world.Serve(cluster =>
        {
            cluster.TransportSocketMatches.Add(Match("both", Raw, ("tlsMode", "istio"), ("zone", "a")));
            cluster.TransportSocketMatches.Add(Match("never", MutualTlsWorld.Socket(MutualTlsWorld.Context()), ("tlsMode", "disabled")));
            cluster.TransportSocket = MutualTlsWorld.Socket(MutualTlsWorld.Context());
        });

        // One of two labels is not enough, and another value is another label.
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(Endpoint(secure.Port, "istio"), Endpoint(secure.Port, "other")));
        (await world.GetAsync()).Status.ShouldBe(200);
        (await world.GetAsync()).Status.ShouldBe(200);
        secure.Seen.Count.ShouldBe(2);

        var both = Endpoint(plain.Port, "istio");
        both.Metadata.FilterMetadata["envoy.transport_socket_match"].Fields["zone"] = Value.ForString("a");
        world.Mesh.Xds.Set(EndpointsType.Instance, Endpoints(both));
        (await world.GetAsync()).Status.ShouldBe(200);
        plain.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_a_locality_says_counts_where_its_endpoint_says_nothing_that_matches()
    {
        await using var world = new MutualTlsWorld().Identify();
        var secure = await world.StartAsync();
        world.Serve(cluster => cluster.TransportSocketMatches.Add(Match("tls", MutualTlsWorld.Socket(MutualTlsWorld.Context()), ("tlsMode", "istio"))));
        var endpoints = Endpoints(Endpoint(secure.Port, null));
        endpoints.Endpoints[0].Metadata = Labelled("istio");

        world.Mesh.Xds.Set(EndpointsType.Instance, endpoints);

        (await world.GetAsync()).Status.ShouldBe(200);
        secure.Seen.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pools_are_another_where_the_settings_are()
    {
        await using var world = new MutualTlsWorld().Identify();
        var server = await world.StartAsync();
        world.Serve(MutualTlsWorld.Context(), server.Port);
        (await world.GetAsync()).Status.ShouldBe(200);
        (await world.GetAsync()).Status.ShouldBe(200);
        server.Handshakes.ShouldBe(1);

        var stricter = MutualTlsWorld.Context();
        stricter.CommonTlsContext.CombinedValidationContext.DefaultValidationContext.MatchTypedSubjectAltNames[0].Matcher.Exact = WorkloadCertificates.Account("ratings");
        world.Serve(stricter, server.Port);
        (await world.GetAsync()).Status.ShouldBe(503);

        world.Serve(MutualTlsWorld.Context(), server.Port);
        (await world.GetAsync()).Status.ShouldBe(200);
        server.Seen.Select(s => s.Connection).Distinct().Count().ShouldBe(2);
    }

    private static void Automatic(Cluster cluster)
    {
        cluster.TransportSocketMatches.Add(Match("tlsMode-istio", MutualTlsWorld.Socket(MutualTlsWorld.Context()), ("tlsMode", "istio")));
        cluster.TransportSocketMatches.Add(Match("tlsMode-disabled", Raw));
    }

    private static Cluster.Types.TransportSocketMatch Match(string name, TransportSocket socket, params (string Key, string Value)[] labels)
    {
        var match = new Cluster.Types.TransportSocketMatch { Name = name, Match = new Struct(), TransportSocket = socket };
        foreach (var (key, value) in labels)
        {
            match.Match.Fields.Add(key, Value.ForString(value));
        }

        return match;
    }

    private static ClusterLoadAssignment Endpoints(params LbEndpoint[] endpoints)
        => new() { ClusterName = MutualTlsWorld.Authority, Endpoints = { new LocalityLbEndpoints { LbEndpoints = { endpoints } } } };

    private static LbEndpoint Endpoint(int port, string? tlsMode)
    {
        var endpoint = Fixture.Endpoint("127.0.0.1", port);
        endpoint.Metadata = tlsMode is null ? null : Labelled(tlsMode);
        return endpoint;
    }

    private static Metadata Labelled(string tlsMode)
        => new() { FilterMetadata = { ["envoy.transport_socket_match"] = new Struct { Fields = { ["tlsMode"] = Value.ForString(tlsMode) } } } };
}
