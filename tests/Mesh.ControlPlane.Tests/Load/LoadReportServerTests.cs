using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.ControlPlane.Load;
using Mesh.ControlPlane.Tests.Debug;
using Mesh.Xds.Certificates;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Load;

/// <summary>What a control plane makes of load reports: who calls whom, how often, with which result; within bounds, and only from those whom it knows.</summary>
public sealed class LoadReportServerTests : IAsyncDisposable
{
    private const string Cluster = "outbound|9080|v2|reviews.default.svc.cluster.local";
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: reviews-v2}
        spec: {address: 10.0.0.2, labels: {app: reviews, version: v2}, serviceAccount: bookinfo-reviews}
        """;

    private readonly DebugMesh _mesh = new(Reviews);
    private readonly List<LoadPeer> _peers = [];

    private ILoadReportServer Server => _mesh.Get<ILoadReportServer>();

    [Fact]
    public async Task A_client_is_asked_for_everything_on_the_settings_beat()
    {
        var asked = await ConnectAsync("n1");
        asked.Response.ShouldBe(new LoadStatsResponse { SendAllClusters = true, LoadReportingInterval = new() { Seconds = 10 }, ReportEndpointGranularity = true });
    }

    [Fact]
    public async Task Reports_become_rates_of_an_edge_with_errors_latency_places_and_workloads()
    {
        var (peer, _) = await ConnectAsync("n1");
        for (var i = 0; i < 6; i++)
        {
            _mesh.Time.Advance(TimeSpan.FromSeconds(10));
            await peer.SendAsync(Report(requests: 100, failed: 20, milliseconds: 500));
        }

        var graph = Read();
        var edge = graph.Edges.ShouldHaveSingleItem();
        edge.Source.ShouldBe(new LoadSource("default", "productpage", "productpage", "v1", "Kubernetes"));
        edge.Destination.ShouldBe(new LoadDestination(Cluster, "reviews.default.svc.cluster.local", 9080, "v2"));
        edge.Rates.Requests.ShouldBe(10, 1e-6);
        edge.Rates.Errors.ShouldBe(2, 1e-6);
        edge.Rates.ErrorShare.ShouldBe(0.2, 1e-6);
        edge.Rates.ByStatus.ShouldBe(new Dictionary<string, double> { ["2xx"] = 8, ["5xx"] = 2 }, ignoreOrder: true);
        edge.Rates.MeanMilliseconds!.Value.ShouldBe(5, 1e-6);
        (edge.Rates.Attempts, edge.Rates.FailedAttempts, edge.Rates.InProgress, edge.Rates.ActiveConnections).ShouldBe((11, 3, 4, 2));
        edge.Localities.ShouldHaveSingleItem().Locality.ShouldBe("eu/a");
        var endpoint = edge.Endpoints.ShouldHaveSingleItem();
        (endpoint.Address, endpoint.Workload!.Workload, endpoint.Workload.Version).ShouldBe(("10.0.0.2:9080", "reviews-v2", "v2"));
        endpoint.Rates.Requests.ShouldBe(10, 1e-6);
        edge.Dropped["throttle"].ShouldBe(0.5, 1e-6);
        graph.Clients.ShouldHaveSingleItem().ShouldBe(new ServiceGraphClient("default/n1", edge.Source, true, _mesh.Time.GetUtcNow()));
    }

    [Fact]
    public async Task Instances_of_one_workload_are_one_edge_and_versions_are_several()
    {
        var (one, _) = await ConnectAsync("n1");
        var (two, _) = await ConnectAsync("n2");
        var (other, _) = await ConnectAsync("n3", version: "v9");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        foreach (var peer in (LoadPeer[])[one, two, other])
        {
            await peer.SendAsync(Report(requests: 100));
        }

        var edges = Read().Edges;
        edges.Select(e => (e.Source.Version, e.Instances, Requests: Math.Round(e.Rates.Requests, 6))).ShouldBe([("v1", 2, 20), ("v9", 1, 10)]);
    }

    [Fact]
    public async Task A_client_that_dies_fades_and_has_left_the_window_when_that_has_passed()
    {
        var (peer, _) = await ConnectAsync("n1");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        await peer.SendAsync(Report(requests: 100));
        Rate(Read()).ShouldBe(10, 1e-6);

        await peer.EndAsync();
        Read().Clients.ShouldHaveSingleItem().IsConnected.ShouldBeFalse();
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        Rate(Read()).ShouldBe(5, 1e-6);
        Read().Edges[0].Rates.InProgress.ShouldBe(0, "whoever is gone has nothing under way");
        _mesh.Time.Advance(TimeSpan.FromSeconds(60));
        Read().Edges.ShouldBeEmpty();
        Read(TimeSpan.FromMinutes(5)).Edges.Count.ShouldBe(1, "the window is longer");

        _mesh.Time.Advance(TimeSpan.FromMinutes(5));
        Read(TimeSpan.FromMinutes(5)).Edges.ShouldBeEmpty();
        Read().Clients.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_client_that_is_connected_and_silent_fades_as_well()
    {
        var (peer, _) = await ConnectAsync("n1");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        await peer.SendAsync(Report(requests: 100));
        _mesh.Time.Advance(TimeSpan.FromSeconds(20));
        Rate(Read()).ShouldBe(10, 1e-6, "the next report may be on its way");
        _mesh.Time.Advance(TimeSpan.FromSeconds(20));
        Rate(Read()).ShouldBe(2, 1e-6);
    }

    [Fact]
    public async Task A_client_that_tells_only_what_LRS_knows_counts_by_its_attempts()
    {
        var (peer, _) = await ConnectAsync("n1");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        await peer.SendAsync(new LoadStatsRequest
        {
            ClusterStats =
            {
                new ClusterStats
                {
                    ClusterName = "theirs",
                    UpstreamLocalityStats = { new UpstreamLocalityStats { Locality = new Locality { Region = "r" }, TotalIssuedRequests = 50, TotalSuccessfulRequests = 40, TotalErrorRequests = 10 } },
                },
            },
        });

        var edge = Read().Edges.ShouldHaveSingleItem();
        edge.Destination.ShouldBe(new LoadDestination("theirs", "", 0, ""));
        (edge.Rates.Requests, edge.Rates.Errors, edge.Rates.MeanMilliseconds).ShouldBe((5, 1, null));
        edge.Rates.ByStatus.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_one_client_makes_up_stays_within_bounds_and_does_not_crowd_out_the_others()
    {
        var (hostile, _) = await ConnectAsync("hostile");
        var (good, _) = await ConnectAsync("good");
        var window = _mesh.Get<LoadWindow>();
        for (var round = 0; round < 8; round++)
        {
            var report = new LoadStatsRequest();
            for (var i = 0; i < 1_000; i++)
            {
                var stats = new ClusterStats { ClusterName = $"c{round}-{i}", DroppedRequests = { new ClusterStats.Types.DroppedRequests { Category = $"x{i}", DroppedCount = ulong.MaxValue } } };
                stats.UpstreamLocalityStats.Add(new UpstreamLocalityStats { Locality = new Locality { Region = $"r{i}" }, TotalIssuedRequests = ulong.MaxValue });
                report.ClusterStats.Add(stats);
            }

            report.ClusterStats.Add(new ClusterStats { ClusterName = new string('c', 10_000) });
            report.ClusterStats.Add(new ClusterStats { ClusterName = "c", UpstreamLocalityStats = { new UpstreamLocalityStats { Locality = new Locality { Region = new string('r', 10_000) } } } });
            await hostile.SendAsync(report);
        }

        window.Refused.ShouldBeGreaterThan(0);
        var graph = Read(TimeSpan.FromMinutes(5));
        graph.Edges.Count.ShouldBeLessThanOrEqualTo(2 * LoadNode.MaxSeries);

        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        await good.SendAsync(Report(requests: 100));
        Read().Edges.Where(e => e.Destination.Cluster == Cluster).ShouldHaveSingleItem().Rates.Requests.ShouldBe(10, 1e-6);

        // All of it goes with its window.
        await hostile.EndAsync();
        _mesh.Time.Advance(TimeSpan.FromMinutes(6));
        Read(TimeSpan.FromMinutes(5)).Edges.ShouldBeEmpty();
    }

    [Fact]
    public async Task More_reports_than_the_beat_do_not_make_it_hold_more()
    {
        var (peer, _) = await ConnectAsync("n1");
        for (var i = 0; i < 1_000; i++)
        {
            _mesh.Time.Advance(TimeSpan.FromMilliseconds(10));
            await peer.SendAsync(Report(requests: 1));
        }

        Rate(Read()).ShouldBe(100, 1e-6);
    }

    [Fact]
    public async Task Nonsense_numbers_count_for_nothing()
    {
        var (peer, _) = await ConnectAsync("n1");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        var report = Report(requests: 100);
        foreach (var metric in report.ClusterStats[0].UpstreamLocalityStats[0].LoadMetricStats)
        {
            metric.TotalMetricValue = double.NaN;
        }

        await peer.SendAsync(report);
        double.IsFinite(Rate(Read())).ShouldBeTrue();
        _mesh.Read("load")["edges"]!.AsArray().Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task A_stream_that_does_not_say_whose_it_is_ends(string? id)
    {
        await using var peer = new LoadPeer(Server);
        await peer.SendAsync(new LoadStatsRequest { Node = id is null ? new Node { Cluster = "x" } : new Node { Id = id } });
        (await Should.ThrowAsync<RpcException>(peer.Serving.WaitAsync(TimeSpan.FromSeconds(30)))).StatusCode.ShouldBe(StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Who_proves_nothing_is_refused_where_clients_must()
    {
        await using var mesh = new DebugMesh(Reviews, o => o.Authentication.RequireForClients = true);
        await using var peer = new LoadPeer(mesh.Get<ILoadReportServer>(), new CallerCredentials { Remote = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 1) });
        await peer.SendAsync(new LoadStatsRequest { Node = Node("n1") });
        (await Should.ThrowAsync<RpcException>(peer.Serving.WaitAsync(TimeSpan.FromSeconds(30)))).StatusCode.ShouldBe(StatusCode.Unauthenticated);
        mesh.Get<ServiceGraphReader>().Read(TimeSpan.FromMinutes(1)).Clients.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_the_service_clients_are_told_so()
    {
        await using var mesh = new DebugMesh(Reviews, o => o.Load.Enabled = false);
        await using var peer = new LoadPeer(mesh.Get<ILoadReportServer>());
        (await Should.ThrowAsync<RpcException>(peer.Serving.WaitAsync(TimeSpan.FromSeconds(30)))).StatusCode.ShouldBe(StatusCode.Unimplemented);
    }

    [Fact]
    public async Task The_page_shows_the_edges_and_is_asked_by_source_service_and_time()
    {
        var (peer, _) = await ConnectAsync("n1");
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        await peer.SendAsync(Report(requests: 100, failed: 10, milliseconds: 200));

        var page = _mesh.Read("load");
        var edge = page["edges"]!.AsArray().ShouldHaveSingleItem()!;
        edge["source"]!["workload"]!.GetValue<string>().ShouldBe("productpage");
        edge["service"]!.GetValue<string>().ShouldBe("reviews.default.svc.cluster.local");
        edge["subset"]!.GetValue<string>().ShouldBe("v2");
        edge["rates"]!["requests"]!.GetValue<double>().ShouldBe(10);
        edge["rates"]!["errors"]!.GetValue<double>().ShouldBe(1);
        edge["endpoints"]![0]!["workload"]!["workload"]!.GetValue<string>().ShouldBe("reviews-v2");
        page["clients"]![0]!["connected"]!.GetValue<bool>().ShouldBeTrue();

        _mesh.Read("load", "source=productpage.default", "over=30")["edges"]!.AsArray().Count.ShouldBe(1);
        _mesh.Read("load", "source=ratings.default")["edges"]!.AsArray().Count.ShouldBe(0);
        _mesh.Read("load", "service=ratings")["edges"]!.AsArray().Count.ShouldBe(0);
        _mesh.Ask("load", "over=soon").StatusCode.ShouldBe(400);
        _mesh.Ask("load", "over=301").StatusCode.ShouldBe(400);
        _mesh.Ask(new CallerCredentials { Remote = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 1) }, "load").StatusCode.ShouldBe(403);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }

        await _mesh.DisposeAsync();
    }

    private static Node Node(string id, string version = "v1")
        => TestNodes.Of(id, $$$"""{"NAMESPACE":"default","WORKLOAD_NAME":"productpage","CLUSTER_ID":"Kubernetes","LABELS":{"app":"productpage","version":"{{{version}}}"}}""");

    private static LoadStatsRequest Report(int requests, int failed = 0, double milliseconds = 0)
    {
        EndpointLoadMetricStats[] metrics =
        [
            Metric("mesh.requests_2xx", requests - failed, requests - failed), Metric("mesh.requests_5xx", failed, failed), Metric("mesh.request_duration_ms", requests, milliseconds),
        ];
        var (issued, errors, succeeded) = ((ulong)requests + 10, (ulong)failed + 10, (ulong)(requests - failed));
        return new LoadStatsRequest
        {
            ClusterStats =
            {
                new ClusterStats
                {
                    ClusterName = Cluster,
                    DroppedRequests = { new ClusterStats.Types.DroppedRequests { Category = "throttle", DroppedCount = 5 } },
                    UpstreamLocalityStats =
                    {
                        new UpstreamLocalityStats
                        {
                            Locality = new Locality { Region = "eu", Zone = "a" },
                            TotalIssuedRequests = issued,
                            TotalErrorRequests = errors,
                            TotalSuccessfulRequests = succeeded,
                            TotalRequestsInProgress = 4,
                            TotalActiveConnections = 2,
                            LoadMetricStats = { metrics },
                            UpstreamEndpointStats =
                            {
                                new UpstreamEndpointStats
                                {
                                    Address = new Address { SocketAddress = new Envoy.Config.Core.V3.SocketAddress { Address = "10.0.0.2", PortValue = 9080 } },
                                    TotalIssuedRequests = issued,
                                    LoadMetricStats = { metrics },
                                },
                            },
                        },
                    },
                },
            },
        };
    }

    private static EndpointLoadMetricStats Metric(string name, int count, double total)
        => new() { MetricName = name, NumRequestsFinishedWithMetric = (ulong)count, TotalMetricValue = total };

    private static double Rate(ServiceGraph graph) => graph.Edges.ShouldHaveSingleItem().Rates.Requests;

    private ServiceGraph Read(TimeSpan? over = null) => _mesh.Get<ServiceGraphReader>().Read(over ?? TimeSpan.FromMinutes(1));

    private async Task<(LoadPeer Peer, LoadStatsResponse Response)> ConnectAsync(string id, string version = "v1")
    {
        var peer = new LoadPeer(Server);
        _peers.Add(peer);
        return (peer, await peer.BeginAsync(Node(id, version)));
    }
}
