using Envoy.Config.Core.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ControlPlane.Tests.Discovery;

public sealed class DiscoveryServerTests : IDisposable
{
    private const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";

    private static readonly ConfigResource ReviewsService = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");
    private static readonly ConfigResource RatingsService = TestDocuments.Service("ratings", """{"name":"http","port":9080}""", "\"app\":\"ratings\"");

    private readonly ManualTimeProvider _time = new();
    private readonly TestConfigStore _store = new();
    private readonly RecordingAdsServer _server = new();
    private readonly ServiceRegistry _registry;
    private readonly DiscoveryServer _discovery;

    public DiscoveryServerTests()
    {
        _registry = new ServiceRegistry(new ServiceRegistryOptions(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), false), null, _time, NullLogger<ServiceRegistry>.Instance);
        _store.Set(ReviewsService, RatingsService);
        _discovery = new DiscoveryServer(
            _store,
            _registry,
            new DiscoveryOptions("cluster.local", TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(100)),
            _time,
            NullLogger<DiscoveryServer>.Instance);
        _discovery.Start(_server);
        _server.Pushes.Clear();
    }

    public void Dispose()
    {
        _discovery.Dispose();
        _registry.Dispose();
    }

    [Fact]
    public void Who_comes_over_from_another_control_plane_is_not_told_that_nobody_serves_before_workloads_could_come_too()
    {
        const string Reviews = "outbound|9080||reviews.default.svc.cluster.local";
        const string Ratings = "outbound|9080||ratings.default.svc.cluster.local";
        using var discovery = new DiscoveryServer(
            _store, _registry, new DiscoveryOptions("cluster.local", TimeSpan.Zero, TimeSpan.Zero, StartGrace: TimeSpan.FromSeconds(30)), _time, NullLogger<DiscoveryServer>.Instance);
        var server = new RecordingAdsServer();
        discovery.Start(server);
        _time.Advance(TimeSpan.FromHours(1));
        using var ratings = discovery.Connect(TestNodes.Connection(), TestNodes.Workload("ratings", "ratings", "127.0.0.1:9080"));
        ratings.Dispose();
        _time.Advance(TimeSpan.FromMinutes(1));

        using var client = discovery.Connect(TestNodes.Connection(), TestNodes.Of("client"));
        Get(client, TypeUrls.ClusterLoadAssignment, Reviews).IsTentative.ShouldBeTrue();

        // These were here, and have gone.
        Get(client, TypeUrls.ClusterLoadAssignment, Ratings).IsTentative.ShouldBeFalse();

        server.Pushes.Clear();
        _time.Advance(TimeSpan.FromSeconds(30));
        server.Pushes.ShouldHaveSingleItem().EverythingFor!(client).ShouldBeTrue();
        Get(client, TypeUrls.ClusterLoadAssignment, Reviews).IsTentative.ShouldBeFalse();
    }

    private IAdsNodeView Connect(Node node) => _discovery.Connect(TestNodes.Connection(), node);

    private static AdsResource Get(IAdsNodeView view, string typeUrl, string name) => view.GetResources(typeUrl, false, [name]).ShouldHaveSingleItem();

    [Fact]
    public void A_node_of_another_machine_is_sent_authorities_and_no_keys()
    {
        var secret = new Mesh.K8s.V1.Secret();
        foreach (var key in new[] { "tls.crt", "tls.key", "ca.crt" })
        {
            secret.Data[key] = Google.Protobuf.ByteString.CopyFromUtf8(key);
        }

        _store.Set(ReviewsService, TestDocuments.Secret("client", secret));
        _discovery.Apply();
        var here = Connect(TestNodes.Of("here"));
        var there = _discovery.Connect(TestNodes.Connection("198.51.100.7:5000"), TestNodes.Of("there"));

        here.Serves(TypeUrls.Secret).ShouldBeTrue();
        Get(here, TypeUrls.Secret, "kubernetes://client");
        there.GetResources(TypeUrls.Secret, false, ["kubernetes://client"]).ShouldBeEmpty();
        Get(there, TypeUrls.Secret, "kubernetes://client-cacert");
    }

    [Fact]
    public void Equal_clients_share_every_resource()
    {
        var one = Connect(TestNodes.Of("one"));
        var two = Connect(TestNodes.Of("two"));

        foreach (var (type, name) in new[]
        {
            (TypeUrls.Listener, "reviews:9080"), (TypeUrls.RouteConfiguration, Reviews), (TypeUrls.Cluster, Reviews), (TypeUrls.ClusterLoadAssignment, Reviews),
        })
        {
            Get(one, type, name).ShouldBeSameAs(Get(two, type, name));
        }
    }

    [Fact]
    public void Clients_of_one_place_share_endpoints_and_others_get_their_own()
    {
        _store.Set(ReviewsService, TestDocuments.DestinationRule("reviews", """{"host":"reviews","trafficPolicy":{"outlierDetection":{}}}"""));
        _discovery.Apply();
        Connect(TestNodes.Workload("one", "reviews", "127.0.0.1:1"));
        _discovery.Apply();
        var here = Get(Connect(At("eu", "a")), TypeUrls.ClusterLoadAssignment, Reviews);

        Get(Connect(At("eu", "a")), TypeUrls.ClusterLoadAssignment, Reviews).ShouldBeSameAs(here);
        Get(Connect(At("eu", "b")), TypeUrls.ClusterLoadAssignment, Reviews).ShouldNotBeSameAs(here);
        Get(Connect(At("eu", "a")), TypeUrls.Cluster, Reviews).ShouldBeSameAs(Get(Connect(At("eu", "b")), TypeUrls.Cluster, Reviews));
        Get(Connect(TestNodes.Of("label", """{"LABELS":{"istio-locality":"eu.a"}}""")), TypeUrls.ClusterLoadAssignment, Reviews).ShouldBeSameAs(here);

        static Node At(string region, string zone)
        {
            var node = TestNodes.Of($"{region}-{zone}");
            node.Locality = new Locality { Region = region, Zone = zone };
            return node;
        }
    }

    [Fact]
    public void Clients_under_a_rule_for_some_workloads_get_its_clusters()
    {
        _store.Set(
            ReviewsService,
            TestDocuments.DestinationRule("web", """
                {"host":"reviews","workloadSelector":{"matchLabels":{"app":"web"}},
                 "trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x-user"}}},"subsets":[{"name":"v1"}]}
                """));
        _discovery.Apply();
        var web = Connect(TestNodes.Of("web", """{"LABELS":{"app":"web"}}"""));
        var job = Connect(TestNodes.Of("job", """{"LABELS":{"app":"job"}}"""));

        Get(web, TypeUrls.Cluster, Reviews).Version.ShouldNotBe(Get(job, TypeUrls.Cluster, Reviews).Version);
        Get(web, TypeUrls.RouteConfiguration, Reviews).Version.ShouldNotBe(Get(job, TypeUrls.RouteConfiguration, Reviews).Version);
        web.GetResources(TypeUrls.Cluster, true, []).Count.ShouldBe(2);
        job.GetResources(TypeUrls.Cluster, true, []).Count.ShouldBe(1);
        Get(Connect(TestNodes.Of("plain")), TypeUrls.Cluster, Reviews).ShouldBeSameAs(Get(job, TypeUrls.Cluster, Reviews));
    }

    [Theory]
    [InlineData("""{"INSTANCE_IPS":"2001:db8::1"}""", true)]
    [InlineData("""{"INSTANCE_IPS":"2001:db8::1,10.0.0.1"}""", false)]
    [InlineData("""{"MESH_ADDRESSES":{"http":"[2001:db8::1]:80"}}""", true)]
    [InlineData("""{"MESH_ADDRESSES":{"http":"[::]:80"}}""", false)]
    [InlineData("{}", false)]
    public void A_node_says_whether_it_has_IPv6_alone(string metadata, bool expected)
        => new NodeMetadata(TestNodes.Of("node", metadata)).IsIpv6Only.ShouldBe(expected);

    [Fact]
    public void Listeners_for_connections_are_for_proxies_that_ask_for_all()
    {
        const string Id = "sidecar~10.0.0.1~web.default~default.svc.cluster.local";
        var db = TestDocuments.Service("db", """{"name":"tcp","port":3306}""");
        _store.Set(ReviewsService, db);
        _discovery.Apply();
        var sidecar = Connect(TestNodes.Of(Id));

        Names(sidecar, TypeUrls.Listener).ShouldBe(["0.0.0.0_3306", "db.default.svc.cluster.local:3306", "reviews.default.svc.cluster.local:9080"], ignoreOrder: true);
        Names(sidecar, TypeUrls.Cluster).ShouldContain("PassthroughCluster");
        var before = Get(sidecar, TypeUrls.Listener, "0.0.0.0_3306");
        Get(Connect(TestNodes.Of(Id + "2")), TypeUrls.Listener, "0.0.0.0_3306").ShouldBeSameAs(before);
        foreach (var other in new[] { TestNodes.Of("library"), TestNodes.Of(Id, """{"GENERATOR":"grpc"}"""), TestNodes.Of(Id, userAgent: "grpc-java") })
        {
            Names(Connect(other), TypeUrls.Listener).ShouldNotContain("0.0.0.0_3306");
            Names(Connect(other), TypeUrls.Cluster).ShouldNotContain("PassthroughCluster");
            Connect(other).GetResources(TypeUrls.Listener, false, ["0.0.0.0_3306"]).ShouldBeEmpty();
        }

        Names(Connect(TestNodes.Of(Id, """{"INTERCEPTION_MODE":"NONE"}""")), TypeUrls.Listener).ShouldContain("127.0.0.1_3306");

        _store.Set(ReviewsService, db, TestDocuments.VirtualService("rule", """{"hosts":["db"],"tcp":[{"route":[{"destination":{"host":"db","subset":"v1"}}]}]}"""));
        _discovery.Apply();
        _server.Pushes[^1].ByType[TypeUrls.Listener]!.ShouldContain("0.0.0.0_3306");
        Get(sidecar, TypeUrls.Listener, "0.0.0.0_3306").Version.ShouldNotBe(before.Version);

        static string[] Names(IAdsNodeView view, string typeUrl) => [.. view.GetResources(typeUrl, true, []).Select(resource => resource.Name)];
    }

    [Fact]
    public void A_resource_carries_the_name_that_was_asked_for()
    {
        var view = Connect(TestNodes.Of("one"));

        foreach (var name in new[] { "reviews", "reviews:9080", "reviews.default", "reviews.default.svc.cluster.local:9080" })
        {
            Get(view, TypeUrls.Listener, name).Name.ShouldBe(name);
        }

        view.GetResources(TypeUrls.Listener, false, ["unknown:9080", "reviews:80"]).ShouldBeEmpty();
    }

    [Fact]
    public void A_wildcard_means_everything_that_the_node_sees()
    {
        var view = Connect(TestNodes.Of("one"));

        view.GetResources(TypeUrls.Listener, true, []).Select(resource => resource.Name)
            .ShouldBe(["ratings.default.svc.cluster.local:9080", "reviews.default.svc.cluster.local:9080"], ignoreOrder: true);
        view.GetResources(TypeUrls.Cluster, true, []).Select(resource => resource.Name)
            .ShouldBe(["outbound|9080||ratings.default.svc.cluster.local", Reviews], ignoreOrder: true);
    }

    [Theory]
    [InlineData("mesh", "{}", false)]
    [InlineData("gRPC C-core Linux", "{}", true)]
    [InlineData("gRPC Node Pure JS", "{}", true)]
    [InlineData("gRPC Go", "{}", true)]
    [InlineData("envoy", """{"GENERATOR":"grpc"}""", true)]
    public void The_kind_of_a_node_is_told_by_its_user_agent_or_generator(string userAgent, string metadata, bool grpc)
    {
        var cluster = Get(Connect(TestNodes.Of("one", metadata, userAgent)), TypeUrls.Cluster, Reviews);

        (cluster.Body.Unpack<Envoy.Config.Cluster.V3.Cluster>().CommonLbConfig is null).ShouldBe(grpc);
    }

    [Fact]
    public void Only_what_changed_is_made_again()
    {
        var view = Connect(TestNodes.Of("one"));
        const string Ratings = "outbound|9080||ratings.default.svc.cluster.local";
        var before = new[] { TypeUrls.RouteConfiguration, TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment }.ToDictionary(type => type, type => Get(view, type, Ratings));
        var routes = Get(view, TypeUrls.RouteConfiguration, Reviews);

        _store.Set(ReviewsService, RatingsService, TestDocuments.VirtualService("rule", """{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}"""));
        _time.Advance(TimeSpan.FromMilliseconds(10));

        _server.Pushes.ShouldHaveSingleItem().ByType[TypeUrls.RouteConfiguration].ShouldNotBeNull().ShouldContain(Reviews);
        Get(view, TypeUrls.RouteConfiguration, Reviews).ShouldNotBeSameAs(routes);
        foreach (var (type, resource) in before)
        {
            Get(view, type, Ratings).ShouldBeSameAs(resource);
        }
    }

    [Fact]
    public void A_resource_that_comes_out_the_same_is_the_same_instance()
    {
        _store.Set(ReviewsService, RatingsService, TestDocuments.DestinationRule("reviews", """{"host":"reviews","subsets":[{"name":"v1","labels":{"version":"v1"}}]}"""));
        _time.Advance(TimeSpan.FromMilliseconds(10));
        var view = Connect(TestNodes.Of("client"));
        var subset = Get(view, TypeUrls.ClusterLoadAssignment, "outbound|9080|v1|reviews.default.svc.cluster.local");

        // Serves reviews, but not its subset v1.
        Connect(TestNodes.Workload("one", "reviews", "127.0.0.1:1"));
        _time.Advance(TimeSpan.FromMilliseconds(10));

        Get(view, TypeUrls.ClusterLoadAssignment, "outbound|9080|v1|reviews.default.svc.cluster.local").ShouldBeSameAs(subset);
        Get(view, TypeUrls.ClusterLoadAssignment, Reviews).Body.Unpack<Envoy.Config.Endpoint.V3.ClusterLoadAssignment>().Endpoints.ShouldHaveSingleItem();
    }

    [Fact]
    public void Clients_with_other_labels_share_routes_unless_a_rule_asks_for_labels()
    {
        var web = TestNodes.Of("web", """{"LABELS":{"app":"web"}}""");
        var job = TestNodes.Of("job", """{"LABELS":{"app":"job"}}""");
        Get(Connect(web), TypeUrls.RouteConfiguration, Reviews).ShouldBeSameAs(Get(Connect(job), TypeUrls.RouteConfiguration, Reviews));

        _store.Set(ReviewsService, RatingsService, TestDocuments.VirtualService("rule", """
            {"hosts":["reviews"],"http":[{"match":[{"sourceLabels":{"app":"web"}}],"route":[{"destination":{"host":"ratings"}}]},{"route":[{"destination":{"host":"reviews"}}]}]}
            """));
        _time.Advance(TimeSpan.FromMilliseconds(10));

        Get(Connect(web), TypeUrls.RouteConfiguration, Reviews).Version.ShouldNotBe(Get(Connect(job), TypeUrls.RouteConfiguration, Reviews).Version);
    }

    [Fact]
    public void Changes_are_pushed_after_a_moment_of_quiet_and_together()
    {
        Connect(TestNodes.Workload("one", "reviews", "127.0.0.1:1"));
        _time.Advance(TimeSpan.FromMilliseconds(9));
        Connect(TestNodes.Workload("two", "reviews", "127.0.0.1:2"));
        _time.Advance(TimeSpan.FromMilliseconds(9));
        _server.Pushes.ShouldBeEmpty();

        _time.Advance(TimeSpan.FromMilliseconds(1));

        // Whom clients believe stands in the clusters, and until now there was nobody.
        _server.Pushes.ShouldHaveSingleItem().ByType.Keys.ShouldBe([TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment]);

        Connect(TestNodes.Workload("three", "reviews", "127.0.0.1:3"));
        _time.Advance(TimeSpan.FromMilliseconds(10));
        _server.Pushes[^1].ByType.Keys.ShouldBe([TypeUrls.ClusterLoadAssignment]);
    }

    [Fact]
    public void A_steady_stream_of_changes_is_pushed_after_the_longest_delay()
    {
        for (var i = 1; i <= 20; i++)
        {
            Connect(TestNodes.Workload($"w{i}", "reviews", $"127.0.0.1:{i}"));
            _time.Advance(TimeSpan.FromMilliseconds(5));
        }

        _server.Pushes.Count.ShouldBe(1);
    }

    [Fact]
    public void A_change_that_touches_nothing_is_not_pushed()
    {
        Connect(TestNodes.Workload("one", "nobody-selects-this", "127.0.0.1:1"));
        _time.Advance(TimeSpan.FromSeconds(1));

        _server.Pushes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_graceful_stop_is_confirmed_when_every_client_has_acknowledged()
    {
        var view = Connect(TestNodes.Workload("one", "reviews", "127.0.0.1:1"));
        _time.Advance(TimeSpan.FromMilliseconds(10));
        var client = Connect(TestNodes.Of("client"));

        var confirmed = view.OnHealthAsync(false, null, CancellationToken.None);

        // Without waiting for quiet: the workload must not serve longer than it has to.
        _server.Pushes.Count.ShouldBe(2);
        Get(client, TypeUrls.ClusterLoadAssignment, Reviews).Body.Unpack<Envoy.Config.Endpoint.V3.ClusterLoadAssignment>().Endpoints.ShouldBeEmpty();
        confirmed.IsCompleted.ShouldBeFalse();
        _server.Acknowledge();
        await confirmed.WaitAsync(TimeSpan.FromSeconds(30));
        _server.AwaitedEpoch.ShouldBe(_server.Epoch);
    }

    [Fact]
    public void Problems_of_documents_and_between_them_are_told()
    {
        _store.Set(ReviewsService, TestDocuments.VirtualService("rule", """{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"nowhere"}}]}]}"""));
        _time.Advance(TimeSpan.FromMilliseconds(10));

        _store.Diagnostics.ShouldHaveSingleItem().Code.ShouldBe("IST0101");

        _store.Set(ReviewsService);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        _store.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void A_Sidecar_is_told_to_the_nodes_that_it_selects_and_to_no_other()
    {
        var web = Connect(TestNodes.Of("web", """{"NAMESPACE":"default","LABELS":{"app":"web"}}"""));
        var cart = Connect(TestNodes.Of("cart", """{"NAMESPACE":"default","LABELS":{"app":"cart"}}"""));
        var shop = Connect(TestNodes.Of("shop", """{"NAMESPACE":"shop","LABELS":{"app":"web"}}"""));
        var sidecar = TestDocuments.Sidecar("web", """{"workloadSelector":{"labels":{"app":"web"}},"egress":[{"hosts":["*/ratings.default.svc.cluster.local"]}]}""");

        _store.Set(ReviewsService, RatingsService, sidecar);
        _discovery.Apply();

        var push = _server.Pushes.ShouldHaveSingleItem();
        push.ByType.ShouldBeEmpty();
        new[] { web, cart, shop }.Select(push.EverythingFor.ShouldNotBeNull()).ShouldBe([true, false, false]);
        web.GetResources(TypeUrls.Listener, false, ["reviews:9080", "ratings:9080"]).ShouldHaveSingleItem().Name.ShouldBe("ratings:9080");
        cart.GetResources(TypeUrls.Listener, false, ["reviews:9080", "ratings:9080"]).Count.ShouldBe(2);
        web.GetResources(TypeUrls.Cluster, true, []).ShouldHaveSingleItem().Name.ShouldBe("outbound|9080||ratings.default.svc.cluster.local");
        Get(web, TypeUrls.Cluster, "outbound|9080||ratings.default.svc.cluster.local").ShouldBeSameAs(Get(cart, TypeUrls.Cluster, "outbound|9080||ratings.default.svc.cluster.local"));

        _store.Set(ReviewsService, RatingsService);
        _discovery.Apply();

        _server.Pushes.Count.ShouldBe(2);
        new[] { web, cart, shop }.Select(_server.Pushes[1].EverythingFor.ShouldNotBeNull()).ShouldBe([true, false, false]);
        web.GetResources(TypeUrls.Listener, false, ["reviews:9080", "ratings:9080"]).Count.ShouldBe(2);
    }

    [Fact]
    public void Clients_of_one_namespace_under_different_Sidecars_get_their_own_routes()
    {
        var timeout = TestDocuments.VirtualService("slow", """{"hosts":["reviews.default.svc.cluster.local"],"http":[{"timeout":"3s","route":[{"destination":{"host":"reviews.default.svc.cluster.local"}}]}]}""", "rules");
        _store.Set(ReviewsService, RatingsService, timeout, TestDocuments.Sidecar("web", """{"workloadSelector":{"labels":{"app":"web"}},"egress":[{"hosts":["./*"]}]}"""));
        _discovery.Apply();
        var web = Connect(TestNodes.Of("web", """{"NAMESPACE":"default","LABELS":{"app":"web"}}"""));
        var cart = Connect(TestNodes.Of("cart", """{"NAMESPACE":"default","LABELS":{"app":"cart"}}"""));

        Timeout(cart).ShouldBe(3);
        Timeout(web).ShouldBe(0);
        Timeout(cart).ShouldBe(3);

        static long Timeout(IAdsNodeView view)
            => Envoy.Config.Route.V3.RouteConfiguration.Parser.ParseFrom(Get(view, TypeUrls.RouteConfiguration, Reviews).Body.Value).VirtualHosts[0].Routes[0].Route_.Timeout.Seconds;
    }

    /// <summary>Documents that a test sets.</summary>
    private sealed class TestConfigStore : IConfigStore
    {
        public ConfigSnapshot Current { get; private set; } = ConfigSnapshot.Empty;

        public IReadOnlyList<ConfigDiagnostic> Diagnostics { get; private set; } = [];

        public event Action<ConfigSnapshot>? Changed;

        public void Set(params ConfigResource[] resources)
        {
            Current = new ConfigSnapshot(Current.Version + 1, resources);
            Changed?.Invoke(Current);
        }

        public void Report(string origin, IReadOnlyList<ConfigDiagnostic> diagnostics)
        {
            Diagnostics = diagnostics;
            Changed?.Invoke(Current);
        }
    }

    /// <summary>Stands where the streams are, to see exactly what is pushed and when.</summary>
    private sealed class RecordingAdsServer : IAdsServer
    {
        private readonly TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<AdsChange> Pushes { get; } = [];

        public long Epoch { get; private set; }

        public long AwaitedEpoch { get; private set; }

        public IReadOnlyList<AdsConnectionStatus> Connections => [];

        public void Acknowledge() => _acknowledged.SetResult();

        public long Push(AdsChange change)
        {
            Pushes.Add(change);
            return ++Epoch;
        }

        public Task WhenAcknowledgedAsync(long epoch, CancellationToken cancellationToken)
        {
            AwaitedEpoch = epoch;
            return _acknowledged.Task;
        }

        public Task ServeAsync(
            IAdsCall<Envoy.Service.Discovery.V3.DiscoveryResponse, Envoy.Service.Discovery.V3.DiscoveryRequest> call,
            Mesh.Xds.Certificates.CallerCredentials caller,
            CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ServeDeltaAsync(
            IAdsCall<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, Envoy.Service.Discovery.V3.DeltaDiscoveryRequest> call,
            Mesh.Xds.Certificates.CallerCredentials caller,
            CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
