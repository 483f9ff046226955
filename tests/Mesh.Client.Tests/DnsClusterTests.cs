using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Dns;
using Mesh.TestNet.Dns;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.

namespace Mesh.Client.Tests;

/// <summary>A real client, a real DNS server and real services on several addresses of this machine.</summary>
public sealed class DnsClusterTests : IAsyncLifetime
{
    private const string Authority = "api.example.com:80";
    private const string Host = "api.example.com";

    private readonly ConcurrentDictionary<string, string[]> _zone = new();
    private readonly ManualTimeProvider _time = new();
    private DnsServer _dns = null!;
    private ObservedResolver _resolver = null!;
    private WebServer _server = null!;
    private ClientMesh _mesh = null!;

    public async Task InitializeAsync()
    {
        // Whoever is called says at which address: all of 127.0.0.0/8 is this machine.
        _server = await WebServer.StartAsync(context => context.Response.WriteAsync(context.Connection.LocalIpAddress!.ToString()), address: IPAddress.Any);
        _dns = DnsServer.Answering(q => q.Type == DnsPacket.A && _zone.TryGetValue(q.Name, out var addresses)
            ? addresses.Aggregate(q.Respond(addresses.Length), (packet, a) => packet.Address(q.Name, a, 30))
            : q.Respond(more: 3));
        var conf = new ResolvConf([_dns.EndPoint], []);
        _mesh = ClientMesh.Create(
            services => services.AddSingleton<IDnsResolver>(_resolver = new ObservedResolver(new StubResolver(() => conf, () => HostsFile.Parse(""), CryptoRandomSource.Instance, _time))),
            time: _time);
        _mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(Authority, "routes"));
        _mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("routes", Fixture.Prefix("/", "api")));
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
        await _dns.DisposeAsync();
    }

    [Fact]
    public async Task Requests_go_to_every_address_of_a_strict_cluster_and_follow_when_the_answer_has_run_out()
    {
        _zone[Host + "."] = ["127.0.0.2", "127.0.0.3"];
        Set(Cluster.Types.DiscoveryType.StrictDns);
        (await CallAsync(4)).Order().ShouldBe(["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]);

        _zone[Host + "."] = ["127.0.0.3", "127.0.0.4"];
        await AskAgainAsync();

        (await CallAsync(4)).Order().ShouldBe(["127.0.0.3", "127.0.0.3", "127.0.0.4", "127.0.0.4"]);
        _server.Connections.ShouldBe(3);
        _dns.Seen.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Connections_of_a_logical_cluster_stay_and_new_ones_go_to_the_new_first_address()
    {
        _zone[Host + "."] = ["127.0.0.2", "127.0.0.3"];
        Set(Cluster.Types.DiscoveryType.LogicalDns);
        (await CallAsync(2)).ShouldBe(["127.0.0.2", "127.0.0.2"]);

        _zone[Host + "."] = ["127.0.0.4", "127.0.0.2"];
        await AskAgainAsync();
        (await CallAsync(2)).ShouldBe(["127.0.0.2", "127.0.0.2"]);

        // While the connection is busy, another one is needed.
        using var busy = await _mesh.Client().GetAsync($"http://{Host}/busy", HttpCompletionOption.ResponseHeadersRead).Within();
        (await CallAsync(1)).ShouldBe(["127.0.0.4"]);
    }

    [Fact]
    public async Task Without_addresses_the_answer_is_that_no_host_is_healthy()
    {
        Set(Cluster.Types.DiscoveryType.StrictDns);

        using var response = await _mesh.Client().GetAsync($"http://{Host}/").Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("no healthy upstream");
    }

    private void Set(Cluster.Types.DiscoveryType type) => _mesh.Xds.Set(ClusterType.Instance, new Cluster
    {
        Name = "api",
        Type = type,
        DnsLookupFamily = Cluster.Types.DnsLookupFamily.V4Only,
        RespectDnsTtl = true,
        LoadAssignment = new ClusterLoadAssignment
        {
            ClusterName = "api",
            Endpoints = { new LocalityLbEndpoints { LbEndpoints = { Fixture.Endpoint(Host, _server.Port) } } },
        },
    });

    // Answers over real sockets arrive when they arrive; when the next refresh is due again, this one has been applied.
    private async Task AskAgainAsync()
    {
        var resolved = _resolver.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(30));
        await resolved.Within();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(30)).Within();
    }

    private async Task<string[]> CallAsync(int count)
    {
        var answers = new string[count];
        for (var i = 0; i < count; i++)
        {
            answers[i] = await _mesh.Client().GetStringAsync($"http://{Host}/").Within();
        }

        return answers;
    }

    private sealed class ObservedResolver(IDnsResolver inner) : IDnsResolver
    {
        private TaskCompletionSource _next = new();

        /// <summary>Completes with the next resolution, when nothing of it is under way any more.</summary>
        public Task NextAsync()
        {
            var next = new TaskCompletionSource();
            Volatile.Write(ref _next, next);
            return next.Task;
        }

        public async ValueTask<DnsResolution> ResolveAsync(DnsQuery query, CancellationToken cancellationToken)
        {
            var resolution = await inner.ResolveAsync(query, cancellationToken);
            Volatile.Read(ref _next).TrySetResult();
            return resolution;
        }
    }
}
