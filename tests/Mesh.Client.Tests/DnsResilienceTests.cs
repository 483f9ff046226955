using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.TestNet.Dns;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Fixture = Mesh.DataPlane.Tests.Resources;

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.

namespace Mesh.Client.Tests;

/// <summary>Names as they are at their worst: a real client, a real DNS server, real services. No request is lost while any address works.</summary>
public sealed class DnsResilienceTests : IAsyncLifetime
{
    private const string Host = "api.example.com";
    private const string Alive = "127.0.0.9";
    private const int NameError = 3;
    private const int ServerFailure = 2;
    private const int Truncated = 0x0200;

    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _reached = [];
    private DnsServer _dns = null!;
    private WebServer _server = null!;
    private ClientMesh _mesh = null!;
    private volatile Func<DnsRequestSeen, DnsPacket?> _answer = _ => null;

    public async Task InitializeAsync()
    {
        _server = await StartServerAsync(IPAddress.Parse(Alive));
        _dns = DnsServer.Answering(q => _answer(q));
        Restart(_server.Port);
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
        await _dns.DisposeAsync();
    }

    [Theory]
    [InlineData("LogicalDns")]
    [InlineData("OriginalDst")]
    public async Task A_host_of_many_addresses_of_which_one_listens_loses_no_request(string type)
    {
        Addresses([.. Enumerable.Range(2, 7).Select(i => $"127.0.0.{i}"), Alive, "127.0.0.10"]);
        Use(System.Enum.Parse<Cluster.Types.DiscoveryType>(type));

        await AllSucceedAsync(20);
        Stats().ConnectFailures.Value.ShouldBe(0);
    }

    [Fact]
    public async Task An_address_that_swallows_connections_does_not_keep_a_request()
    {
        using var swallowing = Swallow("127.0.0.2");
        Addresses("127.0.0.2", Alive);
        Use(Cluster.Types.DiscoveryType.LogicalDns, configure: Patient);
        await WarmAsync();

        await AllSucceedAsync(1, whileWaiting: () => _time.Advance(TimeSpan.FromMilliseconds(10)));
    }

    [Fact]
    public async Task When_every_address_swallows_connections_the_clusters_time_for_one_is_all_there_is()
    {
        using var first = Swallow("127.0.0.2");
        using var second = Swallow("127.0.0.3");
        Addresses("127.0.0.2", "127.0.0.3");
        Use(Cluster.Types.DiscoveryType.LogicalDns);
        await WarmAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Host}/");
        var sending = _mesh.Client().SendAsync(request);
        await WhileAsync(() => !sending.IsCompleted, () => _time.Advance(TimeSpan.FromMilliseconds(100)));

        using var response = await sending.Within();
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details);
        details.ShouldBe("upstream_reset_before_response_started{connection_timeout}");
        Stats().ConnectTimeouts.Value.ShouldBe(1);
    }

    [Fact]
    public async Task Of_the_hosts_of_a_strict_cluster_a_retry_finds_the_one_that_listens()
    {
        Addresses("127.0.0.2", Alive, "127.0.0.3");
        Use(Cluster.Types.DiscoveryType.StrictDns, RouteRules.Retry("connect-failure", 2), Patient);
        await WarmAsync();

        await AllSucceedAsync(9, whileWaiting: () => _time.Advance(TimeSpan.FromMilliseconds(5)));
    }

    [Fact]
    public async Task Answers_that_flap_and_fail_lose_no_request()
    {
        Addresses(Alive);
        Use(Cluster.Types.DiscoveryType.StrictDns);
        await AllSucceedAsync(1);
        Func<DnsRequestSeen, DnsPacket?>[] answers =
        [
            q => q.Respond(more: ServerFailure),
            Of(Alive),
            q => q.Respond(more: 5),
            _ => null,
            Of(Alive, Alive),
            q => q.Respond(1),
            Of(Alive),
        ];

        foreach (var answer in answers)
        {
            _answer = answer;
            var seen = _dns.Seen.Count;

            // Whoever stays silent is waited for; then the name is asked for again.
            await WhileAsync(() => _dns.Seen.Count < seen + 2, () => _time.Advance(TimeSpan.FromSeconds(1)));
            await AllSucceedAsync(3);
        }
    }

    [Fact]
    public async Task A_thousand_addresses_come_over_TCP_and_are_all_used()
    {
        await using var everywhere = await StartServerAsync(IPAddress.Any);
        Restart(everywhere.Port);
        var addresses = Enumerable.Range(0, 1000).Select(i => $"127.{10 + (i / 200)}.1.{1 + (i % 200)}").ToArray();
        var whole = Of(addresses);
        _answer = q => q.IsTcp ? whole(q) : q.Respond(more: Truncated);
        Use(Cluster.Types.DiscoveryType.StrictDns);

        await AllSucceedAsync(1000);

        _reached.Distinct().Order().ShouldBe(addresses.Order());
        _dns.Seen.Select(q => q.IsTcp).ShouldBe([false, true]);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("V4Preferred")]
    [InlineData("V6Only")]
    [InlineData("All")]
    public async Task A_host_that_has_IPv6_alone_is_reached_by_it(string family)
    {
        await using var server = await StartServerAsync(IPAddress.IPv6Loopback);
        Restart(server.Port);
        _answer = q => q.Type == DnsPacket.A ? q.Respond() : q.Respond(1).Address(q.Name, "::1", 30);
        Use(Cluster.Types.DiscoveryType.StrictDns, configure: c => c.DnsLookupFamily = System.Enum.Parse<Cluster.Types.DnsLookupFamily>(family));

        await AllSucceedAsync(3);

        _reached.Distinct().ShouldBe(["::1"]);
    }

    [Theory]
    [InlineData("StrictDns")]
    [InlineData("LogicalDns")]
    [InlineData("OriginalDst")]
    public async Task A_hundred_requests_at_once_are_one_question_and_an_answer_for_no_time_holds_until_the_next_refresh(string type)
    {
        var asked = new TaskCompletionSource();
        var answer = new ManualResetEventSlim();
        _answer = q =>
        {
            asked.TrySetResult();
            answer.Wait();
            return q.Respond(1).Address(q.Name, Alive, 0);
        };
        Use(System.Enum.Parse<Cluster.Types.DiscoveryType>(type));
        var sending = Enumerable.Range(0, 100).Select(_ => _mesh.Client().GetAsync($"http://{Host}/")).ToList();
        await asked.Task.Within();
        answer.Set();

        (await Task.WhenAll(sending).Within()).ShouldAllBe(r => r.StatusCode == HttpStatusCode.OK);
        await AllSucceedAsync(20);

        _dns.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_is_asked_for_no_more_often_than_one_that_does()
    {
        _answer = q => q.Respond(more: NameError);
        Use(Cluster.Types.DiscoveryType.StrictDns);
        var responses = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _mesh.Client().GetAsync($"http://{Host}/"))).Within();

        responses.ShouldAllBe(r => r.StatusCode == HttpStatusCode.ServiceUnavailable);
        _dns.Seen.Count.ShouldBe(1);
    }

    // The clock runs ahead of the sockets, which take what time they take.
    private static void Patient(Cluster cluster) => cluster.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromDays(20));

    private static Func<DnsRequestSeen, DnsPacket?> Of(params string[] addresses)
        => q => addresses.Aggregate(q.Respond(addresses.Length), (packet, a) => packet.Address(q.Name, a, 1));

    // Nobody accepts, and the backlog is full: further SYNs are dropped.
    private Owned Swallow(string address)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), _server.Port));
        listener.Listen(0);
        var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        filler.Connect(listener.LocalEndPoint!);
        return new Owned(listener, filler);
    }

    private void Addresses(params string[] addresses) => _answer = Of(addresses);

    private Task<WebServer> StartServerAsync(IPAddress address)
        => WebServer.StartAsync(
            context =>
            {
                _reached.Enqueue(context.Connection.LocalIpAddress!.ToString());
                return context.Response.WriteAsync("ok");
            },
            address: address);

    private int _port;

    private void Restart(int port)
    {
        _port = port;
        _mesh = ClientMesh.Create(
            options: o =>
            {
                o.Client.DnsServers.Add(_dns.EndPoint.ToString());

                // However far the clock runs ahead of the sockets.
                o.Client.OnDemandIdleTimeout = TimeSpan.FromDays(30);
            },
            time: _time);
        _mesh.Xds.Set(ListenerType.Instance, Fixture.Listener($"{Host}:80", "routes"));
    }

    private void Use(Cluster.Types.DiscoveryType type, Envoy.Config.Route.V3.RetryPolicy? retries = null, Action<Cluster>? configure = null)
    {
        var route = Fixture.Prefix("/", "api");
        route.Route_.RetryPolicy = retries;
        _mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("routes", route));
        var cluster = new Cluster { Name = "api", Type = type, DnsLookupFamily = Cluster.Types.DnsLookupFamily.V4Only, RespectDnsTtl = true };
        if (type == Cluster.Types.DiscoveryType.OriginalDst)
        {
            cluster.LbPolicy = Cluster.Types.LbPolicy.ClusterProvided;
            cluster.OriginalDstLbConfig = new() { UpstreamPortOverride = (uint)_port };
        }
        else
        {
            cluster.LoadAssignment = new ClusterLoadAssignment
            {
                ClusterName = "api",
                Endpoints = { new LocalityLbEndpoints { LbEndpoints = { Fixture.Endpoint(Host, _port) } } },
            };
        }

        configure?.Invoke(cluster);
        _mesh.Use(cluster);
    }

    private DataPlane.Clusters.ClusterStats Stats() => _mesh.Engine.Clusters.All.Single().Cluster.Stats;

    // Before the clock runs: configuration and name are waited for by it.
    private async Task WarmAsync()
    {
        await _mesh.Engine.Hosts.ResolveAsync(Host, 80, CancellationToken.None);
        await _mesh.Engine.Clusters.All.Single().Cluster.Answered.Within();
    }

    private async Task AllSucceedAsync(int count, Action? whileWaiting = null)
    {
        for (var i = 0; i < count; i++)
        {
            var sending = _mesh.Client().GetStringAsync($"http://{Host}/");
            if (whileWaiting is not null)
            {
                await WhileAsync(() => !sending.IsCompleted, whileWaiting);
            }

            (await sending.Within()).ShouldBe("ok");
        }
    }

    private static async Task WhileAsync(Func<bool> condition, Action step)
    {
        using var guard = new CancellationTokenSource(Hang.Guard);
        while (condition())
        {
            guard.Token.ThrowIfCancellationRequested();
            step();
            await Task.Yield();
        }
    }

    private sealed class Owned(params IDisposable[] owned) : IDisposable
    {
        public void Dispose() => Array.ForEach(owned, o => o.Dispose());
    }
}
