using System.Net;
using System.Net.Sockets;
using Envoy.Config.Cluster.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Dns;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests;

/// <summary>Requests of a cluster of original destinations go where their URI says: a real client and real services at addresses of this machine.</summary>
public sealed class OriginalDestinationTests : IAsyncLifetime
{
    private const string Host = "api.example.com";

    private readonly ManualTimeProvider _time = new();
    private ScriptedResolver _dns = null!;
    private WebServer _server = null!;
    private ClientMesh _mesh = null!;

    private string Url => $"http://{Host}:{_server.Port}/";

    public async Task InitializeAsync()
    {
        _dns = new ScriptedResolver(_time);
        _server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.StatusCode = context.Request.Path == "/fail" ? 500 : 200;
                await context.Response.WriteAsync($"{context.Connection.LocalIpAddress} {context.Request.Host}");
            },
            address: IPAddress.Any);
        _mesh = ClientMesh.Create(services => services.AddSingleton<IDnsResolver>(_dns).AddMeshFilter<Director>(Director.Url), time: _time);
        Route(Host);
        Use();
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_name_goes_to_its_address_on_one_connection_with_the_callers_host()
    {
        _dns.Answer(Host, 30, "127.0.0.2");

        for (var i = 0; i < 3; i++)
        {
            (await _mesh.Client().GetStringAsync(Url).Within()).ShouldBe($"127.0.0.2 {Host}:{_server.Port}");
        }

        _server.Connections.ShouldBe(1);
        _dns.Asked.Count.ShouldBe(1);
        Cluster().Stats.ActiveConnections.Value.ShouldBe(1);
    }

    [Fact]
    public async Task An_address_goes_there_whatever_host_is_called_by()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.3:{_server.Port}/") { Headers = { Host = $"{Host}:{_server.Port}" } };

        using var response = await _mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldBe($"127.0.0.3 {Host}:{_server.Port}");
        _dns.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_port_of_the_cluster_replaces_the_callers()
    {
        Use(c => c.OriginalDstLbConfig = new() { UpstreamPortOverride = (uint)_server.Port });
        Route(Host, 80);
        _dns.Answer(Host, 30, "127.0.0.2");

        (await _mesh.Client().GetStringAsync($"http://{Host}/").Within()).ShouldBe($"127.0.0.2 {Host}");
    }

    [Theory]
    [InlineData("127.0.0.9:{0}", "127.0.0.9", 0)]
    [InlineData("[::ffff:127.0.0.9]:{0}", "::ffff:127.0.0.9", 0)]
    [InlineData("127.0.0.9", "127.0.0.2", 1)]
    [InlineData("elsewhere.example.com:{0}", "127.0.0.2", 1)]
    [InlineData(null, "127.0.0.2", 0)]
    public async Task A_header_names_another_address_where_the_cluster_allows_it(string? header, string reached, int invalid)
    {
        _dns.Answer(Host, 30, "127.0.0.2");
        Use(c => c.OriginalDstLbConfig = new() { UseHttpHeader = true });
        using var request = new HttpRequestMessage(HttpMethod.Get, Url);
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation("x-envoy-original-dst-host", string.Format(System.Globalization.CultureInfo.InvariantCulture, header, _server.Port));
        }

        using var response = await _mesh.Client().SendAsync(request).Within();

        IPAddress.Parse((await response.Content.ReadAsStringAsync()).Split(' ')[0]).MapToIPv4().ShouldBe(IPAddress.Parse(reached).MapToIPv4());
        Cluster().Stats.OriginalDestinationInvalid.Value.ShouldBe(invalid);
    }

    [Theory]
    [InlineData("127.0.0.8:{0}", "127.0.0.8", 0)]
    [InlineData("nowhere", "127.0.0.9", 1)]
    public async Task What_a_filter_leaves_in_the_metadata_goes_before_the_header(string left, string reached, int invalid)
    {
        Use(c => c.OriginalDstLbConfig = new()
        {
            UseHttpHeader = true,
            MetadataKey = new() { Key = "director", Path = { new Envoy.Type.Metadata.V3.MetadataKey.Types.PathSegment { Key = "to" } } },
        });
        var listener = Fixture.Listener($"{Host}:{_server.Port}", "routes");
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        manager.HttpFilters.Insert(0, new HttpFilter { Name = "director", TypedConfig = new Any { TypeUrl = Director.Url } });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        _mesh.Xds.Set(_mesh.Engine.Filters.Listeners, listener);
        using var request = new HttpRequestMessage(HttpMethod.Get, Url) { Headers = { { "x-envoy-original-dst-host", $"127.0.0.9:{_server.Port}" } } };
        request.Headers.Add("x-to", string.Format(System.Globalization.CultureInfo.InvariantCulture, left, _server.Port));

        using var response = await _mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldStartWith(reached + " ");
        Cluster().Stats.OriginalDestinationInvalid.Value.ShouldBe(invalid);
    }

    [Fact]
    public async Task Without_leave_the_header_counts_for_nothing()
    {
        _dns.Answer(Host, 30, "127.0.0.2");
        using var request = new HttpRequestMessage(HttpMethod.Get, Url) { Headers = { { "x-envoy-original-dst-host", $"127.0.0.9:{_server.Port}" } } };

        using var response = await _mesh.Client().SendAsync(request).Within();

        (await response.Content.ReadAsStringAsync()).ShouldStartWith("127.0.0.2 ");
    }

    [Fact]
    public async Task A_name_without_addresses_is_a_503_that_says_so()
    {
        _dns.Answer(Host, 30);
        using var request = new HttpRequestMessage(HttpMethod.Get, Url);

        using var response = await _mesh.Client().SendAsync(request).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe($"DNS resolution failure: {Host} has no addresses");
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("DF");
    }

    [Fact]
    public async Task A_caller_that_gives_up_while_the_name_is_resolved_gets_its_own_cancellation()
    {
        _dns.Hold(Host);
        using var giveUp = new CancellationTokenSource();
        var calling = _mesh.Client().GetAsync(Url, giveUp.Token);
        while (_dns.Asked.Count == 0)
        {
            await Task.Yield();
        }

        await giveUp.CancelAsync();

        (await Should.ThrowAsync<TaskCanceledException>(calling.Within())).CancellationToken.ShouldBe(giveUp.Token);
        _mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_host_stays_while_its_connection_is_open_and_goes_when_that_has_closed()
    {
        _dns.Answer(Host, 3600, "127.0.0.2");
        using (var response = await _mesh.Client().GetAsync(Url).Within())
        {
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        _time.Advance(TimeSpan.FromMinutes(5));
        Cluster().Current.Endpoints.Endpoints.Count.ShouldBe(1);
        (await _mesh.Client().GetAsync(Url).Within()).Dispose();
        _server.Connections.ShouldBe(1);

        // A change of the connections' settings is a pool of its own: the old one closes, and the new one has no connection.
        Use(c => c.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)));
        _time.Advance(TimeSpan.FromSeconds(15));
        Cluster().Current.Endpoints.Endpoints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Connections_must_be_made_within_the_clusters_time()
    {
        // Nobody accepts, and the backlog is full: further SYNs are dropped.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        using var filling = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await filling.ConnectAsync(full.LocalEndPoint!);
        Use(c => c.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{full.LocalEndPoint}/") { Headers = { Host = $"{Host}:{_server.Port}" } };
        var calling = _mesh.Client().SendAsync(request);
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Within();

        _time.Advance(TimeSpan.FromSeconds(1));

        using var response = await calling.Within();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldEndWith("reset reason: connection timeout");
        Cluster().Stats.ConnectTimeouts.Value.ShouldBe(1);
    }

    [Fact]
    public async Task Outlier_detection_ejects_by_address_and_diverts_nothing()
    {
        _dns.Answer(Host, 3600, "127.0.0.2");
        Use(c => c.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection { Consecutive5Xx = 2, MaxEjectionPercent = 100 });
        for (var i = 0; i < 2; i++)
        {
            (await _mesh.Client().GetAsync(Url + "fail").Within()).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        }

        Cluster().Current.Endpoints.Endpoints.Single().Health.ShouldBe(EndpointHealth.Unhealthy);
        (await _mesh.Client().GetStringAsync(Url).Within()).ShouldStartWith("127.0.0.2 ", customMessage: "as in Envoy there is no other host to take its place");
        using var other = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.3:{_server.Port}/") { Headers = { Host = $"{Host}:{_server.Port}" } };
        (await _mesh.Client().SendAsync(other).Within()).Dispose();
        Cluster().Current.Endpoints.Endpoints.Single(e => e.ToString().StartsWith("127.0.0.3", StringComparison.Ordinal)).Health.ShouldBe(EndpointHealth.Healthy);
    }

    [Fact]
    public async Task Circuit_breakers_count_over_all_addresses()
    {
        await using var holding = await HoldingServer.StartAsync();
        Use(c => c.WithThresholds(new() { MaxRequests = 1, MaxPendingRequests = 1, MaxConnections = 1 }));
        using var first = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{holding.Port}/") { Headers = { Host = $"{Host}:{_server.Port}" } };
        var calling = _mesh.Client().SendAsync(first);
        (await holding.Arrived.WaitAsync(Hang.Guard)).ShouldBeTrue();
        _dns.Answer(Host, 3600, "127.0.0.2");

        using var refused = await _mesh.Client().GetAsync(Url).Within();

        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.GetValues("x-envoy-overloaded").ShouldBe(["true"]);
        holding.Release(1);
        (await calling.Within()).Dispose();
        _mesh.Breaker().ShouldHoldNothing();
    }

    /// <summary>Leaves word of where the request is to go.</summary>
    private sealed class Director : Mesh.Filters.HttpFilter
    {
        public const string Url = "type.googleapis.com/test.Director";

        public override ValueTask OnRequestAsync(Mesh.Filters.HttpExchange exchange, CancellationToken cancellationToken)
        {
            exchange.Metadata["director"] = new() { ["to"] = exchange.RequestHeaders["x-to"] };
            return ValueTask.CompletedTask;
        }
    }

    private DataPlane.Clusters.Cluster Cluster() => _mesh.Engine.Clusters.All.Single().Cluster;

    private void Route(string host, int? port = null)
    {
        var authority = $"{host}:{port ?? _server.Port}";
        _mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(authority, "routes"));
        _mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("routes", Fixture.Prefix("/", "passthrough")));
    }

    private void Use(Action<Cluster>? configure = null)
    {
        var cluster = new Cluster
        {
            Name = "passthrough",
            Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.OriginalDst,
            LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.ClusterProvided,
        };
        configure?.Invoke(cluster);
        _mesh.Xds.Set(ClusterType.Instance, cluster);
    }
}
