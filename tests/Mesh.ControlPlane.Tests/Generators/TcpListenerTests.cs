using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

public class TcpListenerTests
{
    private const string Db = "outbound|3306||db.default.svc.cluster.local";

    private static readonly ConfigResource DbService = TestDocuments.Service("db", """{"name":"tcp-sql","port":3306}""", "\"app\":\"db\"");
    private static readonly ConfigResource VipService = Entry("vip", """{"hosts":["db.example.com"],"addresses":["10.9.0.7"],"ports":[{"number":3306,"name":"tcp","protocol":"TCP"}],"resolution":"STATIC"}""");

    private static ConfigResource Entry(string name, string json) => TestDocuments.ServiceEntry(name, json);

    private static ConfigResource Tls(string name, string host, string addresses = "")
        => Entry(name, $$"""{"hosts":["{{host}}"],{{addresses}}"ports":[{"number":443,"name":"tls","protocol":"TLS"}],"resolution":"NONE"}""");

    private static ConfigResource Rule(string tcp, string hosts = "db") => TestDocuments.VirtualService("rule", $$"""{"hosts":["{{hosts}}"],{{tcp}}}""");

    private static Proxy Sidecar(string labels = "", bool bindsToPort = false, bool isIpv6Only = false, string @namespace = "default")
        => new(ProxyKind.Mesh, @namespace, TestMesh.At("", labels).Labels, isIpv6Only: isIpv6Only, isSidecar: true, bindsToPort: bindsToPort);

    private static Listener? Find(TestMesh mesh, string name, Proxy? proxy = null)
    {
        TcpListenerKey.TryParse(name, out var key).ShouldBeTrue();
        return TcpListenerGenerator.Generate(proxy ?? Sidecar(), mesh.Config, key);
    }

    private static TcpProxy ProxyOf(FilterChain chain) => chain.Filters[^1].TypedConfig.Unpack<TcpProxy>();

    /// <summary>Chain by chain: conditions, and the clusters with their weights.</summary>
    private static string[] Chains(TestMesh mesh, string name, Proxy? proxy = null)
    {
        var listener = Find(mesh, name, proxy).ShouldNotBeNull();
        return
        [
            .. listener.FilterChains.Select(chain => Text(chain, "")),
            .. listener.DefaultFilterChain is { } rest ? [Text(rest, "else ")] : Array.Empty<string>(),
        ];

        static string Text(FilterChain chain, string prefix)
        {
            var match = chain.FilterChainMatch ?? new FilterChainMatch();
            var conditions = match.ServerNames
                .Concat(match.PrefixRanges.Select(range => $"to {range.AddressPrefix}/{range.PrefixLen}"))
                .Concat(match.SourcePrefixRanges.Select(range => $"from {range.AddressPrefix}/{range.PrefixLen}"));
            var proxy = ProxyOf(chain);
            return $"{prefix}{string.Join(' ', conditions)} -> "
                + (proxy.WeightedClusters is { } weighted
                    ? string.Join(" ", weighted.Clusters.Select(cluster => $"{cluster.Name}={cluster.Weight}"))
                    : proxy.Cluster);
        }
    }

    [Fact]
    public void Without_a_rule_connections_go_to_the_service()
        => TestMesh.ShouldBeJson(Find(new TestMesh(VipService), "10.9.0.7_3306").ShouldNotBeNull(), """
            {"name":"10.9.0.7_3306",
             "address":{"socket_address":{"address":"10.9.0.7","port_value":3306}},
             "filter_chains":[{"filters":[{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig"}},{"name":"envoy.filters.network.tcp_proxy","typed_config":{
               "@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
               "stat_prefix":"outbound|3306||db.example.com","cluster":"outbound|3306||db.example.com"}}]}],
             "listener_filters_timeout":"0s",
             "continue_on_listener_filters_timeout":true,
             "traffic_direction":"OUTBOUND",
             "bind_to_port":false}
            """);

    [Fact]
    public void A_rule_decides_and_names_itself()
    {
        var mesh = new TestMesh(DbService, Rule("""
            "tcp":[{"route":[{"destination":{"host":"db","subset":"v1"},"weight":80},{"destination":{"host":"db","subset":"v2"},"weight":20},{"destination":{"host":"db"}}]}]
            """));

        Chains(mesh, "0.0.0.0_3306").ShouldBe([" -> outbound|3306|v1|db.default.svc.cluster.local=80 outbound|3306|v2|db.default.svc.cluster.local=20"]);
        var chain = Find(mesh, "0.0.0.0_3306")!.FilterChains[0];
        ProxyOf(chain).StatPrefix.ShouldBe("rule.default");
        chain.Metadata.FilterMetadata["istio"].Fields["config"].StringValue.ShouldEndWith("/virtual-service/rule");
    }

    [Fact]
    public void Destinations_of_one_route_share_a_chain_and_the_rest_goes_to_the_service()
        => Chains(
            new TestMesh(DbService, Rule("""
                "tcp":[{"match":[{"destinationSubnets":["10.1.2.3/16"]},{"destinationSubnets":["10.0.0.9","fd00::/8"]}],"route":[{"destination":{"host":"other","port":{"number":1}}}]}]
                """)),
            "0.0.0.0_3306").ShouldBe(["to 10.0.0.9/32 to 10.1.0.0/16 to fd00::/8 -> outbound|1||other.default.svc.cluster.local", $"else  -> {Db}"]);

    [Fact]
    public void An_origin_is_a_condition_of_its_own()
        => Chains(
            new TestMesh(DbService, Rule("""
                "tcp":[{"match":[{"sourceSubnet":"10.2.0.0/16","destinationSubnets":["10.3.0.1"]}],"route":[{"destination":{"host":"db","subset":"v1"}}]}]
                """)),
            "0.0.0.0_3306").ShouldBe(["to 10.3.0.1/32 from 10.2.0.0/16 -> outbound|3306|v1|db.default.svc.cluster.local", $"else  -> {Db}"]);

    [Theory]
    [InlineData("\"port\":3306", true)]
    [InlineData("\"port\":3307", false)]
    [InlineData("\"sourceLabels\":{\"app\":\"web\"}", true)]
    [InlineData("\"sourceLabels\":{\"app\":\"job\"}", false)]
    [InlineData("\"sourceNamespace\":\"default\"", true)]
    [InlineData("\"sourceNamespace\":\"prod\"", false)]
    [InlineData("\"gateways\":[\"mesh\"]", true)]
    [InlineData("\"gateways\":[\"mesh\"],\"sourceNamespace\":\"prod\"", false)]
    [InlineData("\"gateways\":[\"front\"]", false)]
    public void Who_asks_is_decided_when_the_listener_is_made(string match, bool applies)
        => Chains(new TestMesh(DbService, Rule($$$"""
            "tcp":[{"match":[{{{{match}}}}],"route":[{"destination":{"host":"db","subset":"v1"}}]}]
            """)), "0.0.0.0_3306", Sidecar("app=web"))
            .ShouldBe([applies ? " -> outbound|3306|v1|db.default.svc.cluster.local" : $" -> {Db}"]);

    [Fact]
    public void Nothing_follows_a_route_that_takes_all()
        => Chains(new TestMesh(DbService, Rule("""
            "tcp":[{"match":[{"destinationSubnets":["10.0.0.1"]},{}],"route":[{"destination":{"host":"db","subset":"v1"}}]},
                   {"route":[{"destination":{"host":"db","subset":"v2"}}]}]
            """)), "0.0.0.0_3306").ShouldBe(
            [
                "to 10.0.0.1/32 -> outbound|3306|v1|db.default.svc.cluster.local",
                "else  -> outbound|3306|v1|db.default.svc.cluster.local",
            ]);

    [Fact]
    public void Rules_for_one_host_add_up_the_oldest_first()
        => Chains(
            new TestMesh(
                DbService,
                TestDocuments.VirtualService("young", """{"hosts":["db"],"tcp":[{"route":[{"destination":{"host":"db","subset":"young"}}]}]}""", age: 1),
                TestDocuments.VirtualService("old", """{"hosts":["*.default.svc.cluster.local"],"tcp":[{"match":[{"destinationSubnets":["10.0.0.1"]}],"route":[{"destination":{"host":"db","subset":"old"}}]}]}""", age: 2)),
            "0.0.0.0_3306").ShouldBe(
            [
                "to 10.0.0.1/32 -> outbound|3306|old|db.default.svc.cluster.local",
                "else  -> outbound|3306|young|db.default.svc.cluster.local",
            ]);

    [Fact]
    public void Names_in_handshakes_tell_services_apart_that_share_an_address()
    {
        var mesh = new TestMesh(Tls("a", "a.example.com"), Tls("b", "*.b.example.com"), Tls("c", "c.example.com", """ "addresses":["10.9.0.8"],"""));

        Chains(mesh, "0.0.0.0_443").ShouldBe(
        [
            "a.example.com -> outbound|443||a.example.com",
            "*.b.example.com -> outbound|443||*.b.example.com",
            "else  -> PassthroughCluster",
        ]);
        TestMesh.Json(Find(mesh, "0.0.0.0_443")!.ListenerFilters.ShouldHaveSingleItem())
            .ShouldContain("\"initial_read_buffer_size\": 512");
        Chains(mesh, "10.9.0.8_443").ShouldBe([" -> outbound|443||c.example.com"]);
        Find(mesh, "10.9.0.8_443")!.ListenerFilters.ShouldBeEmpty();
    }

    [Fact]
    public void Tls_routes_take_over_the_names_that_they_list()
        => Chains(
            new TestMesh(Tls("a", "*.example.com"), Tls("b", "b.example.com"), Rule("""
                "tls":[{"match":[{"sniHosts":["z.example.com","A.example.com"]}],"route":[{"destination":{"host":"b.example.com"}}]},
                       {"match":[{"sniHosts":["a.example.com","z.example.com"]}],"route":[{"destination":{"host":"never.example.com"}}]},
                       {"match":[{"sniHosts":["c.example.com"],"destinationSubnets":["10.0.0.0/8"]}],"route":[{"destination":{"host":"b.example.com"}}]}]
                """, "*.example.com")),
            "0.0.0.0_443").ShouldBe(
            [
                "a.example.com z.example.com -> outbound|443||b.example.com",
                "c.example.com to 10.0.0.0/8 -> outbound|443||b.example.com",
                "else  -> PassthroughCluster",
            ]);

    [Fact]
    public void The_policy_of_the_destination_says_how_long_and_by_what_hash()
    {
        var mesh = new TestMesh(
            DbService,
            Rule("""
                "tcp":[{"match":[{"destinationSubnets":["10.0.0.1"]}],"route":[{"destination":{"host":"db","subset":"v1"}}]},
                       {"route":[{"destination":{"host":"db","subset":"v1"},"weight":1},{"destination":{"host":"db","subset":"v2"},"weight":1}]}]
                """),
            TestDocuments.DestinationRule("db", """
                {"host":"db","trafficPolicy":{"connectionPool":{"tcp":{"idleTimeout":"5s","maxConnectionDuration":"60s"}},"loadBalancer":{"consistentHash":{"useSourceIp":true}}},
                 "subsets":[{"name":"v1","trafficPolicy":{"connectionPool":{"tcp":{"idleTimeout":"7s"}},"loadBalancer":{"simple":"RANDOM"}}},{"name":"v2"}]}
                """));
        var listener = Find(mesh, "0.0.0.0_3306")!;

        TestMesh.ShouldBeJson(ProxyOf(listener.FilterChains[0]), """
            {"stat_prefix":"outbound|3306|v1|db.default.svc.cluster.local","cluster":"outbound|3306|v1|db.default.svc.cluster.local","idle_timeout":"7s"}
            """);
        TestMesh.ShouldBeJson(ProxyOf(listener.DefaultFilterChain), """
            {"stat_prefix":"rule.default",
             "weighted_clusters":{"clusters":[{"name":"outbound|3306|v1|db.default.svc.cluster.local","weight":1},{"name":"outbound|3306|v2|db.default.svc.cluster.local","weight":1}]},
             "idle_timeout":"5s","max_downstream_connection_duration":"60s","hash_policy":[{"source_ip":{}}]}
            """);
    }

    [Fact]
    public void A_subnet_of_a_service_is_a_condition_on_the_shared_address()
        => Chains(
            new TestMesh(
                Entry("net", """{"hosts":["net.example.com"],"addresses":["10.20.0.0/16","10.9.0.1/32"],"ports":[{"number":3306,"name":"tcp","protocol":"TCP"}],"resolution":"NONE"}"""),
                DbService),
            "0.0.0.0_3306").ShouldBe(["to 10.20.0.0/16 -> outbound|3306||net.example.com", $"else  -> {Db}"], ignoreOrder: true);

    [Fact]
    public void Of_two_services_with_nothing_between_them_the_oldest_counts()
    {
        var younger = Entry("z", """{"hosts":["z.example.com"],"ports":[{"number":3306,"name":"tcp","protocol":"TCP"}],"resolution":"NONE"}""");

        Chains(new TestMesh(younger, DbService), "0.0.0.0_3306").ShouldBe([$" -> {Db}"]);
    }

    [Fact]
    public void A_proxy_that_nothing_is_redirected_to_opens_its_ports_on_loopback()
    {
        var mesh = new TestMesh(VipService, Tls("a", "a.example.com"));
        var proxy = Sidecar(bindsToPort: true);

        TcpListenerGenerator.Names(proxy, mesh.Config).ShouldBe(["127.0.0.1_443", "127.0.0.1_3306"], ignoreOrder: true);
        var listener = Find(mesh, "127.0.0.1_3306", proxy).ShouldNotBeNull();
        listener.BindToPort.ShouldBeNull();
        listener.Address.SocketAddress.Address.ShouldBe("127.0.0.1");
        // Passing on to where the connection was meant for would lead back to the listener.
        Chains(mesh, "127.0.0.1_443", proxy).ShouldBe(["a.example.com -> outbound|443||a.example.com"]);
    }

    [Fact]
    public void A_client_with_IPv6_alone_gets_the_shared_address_of_its_kind()
        => TcpListenerGenerator.Names(Sidecar(isIpv6Only: true), new TestMesh(DbService).Config).ShouldBe(["::_3306"]);

    [Fact]
    public void Ports_of_http_and_services_that_the_client_does_not_see_have_none()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("web", """{"name":"http","port":80},{"name":"x","port":81}"""),
            Entry("mine", """{"hosts":["db.example.com"],"exportTo":["."],"ports":[{"number":3306,"name":"tcp","protocol":"TCP"}],"resolution":"NONE"}"""));

        TcpListenerGenerator.Names(Sidecar(), mesh.Config).ShouldBe(["0.0.0.0_3306"]);
        TcpListenerGenerator.Names(Sidecar(@namespace: "prod"), mesh.Config).ShouldBeEmpty();
        Find(mesh, "0.0.0.0_3306", Sidecar(@namespace: "prod")).ShouldBeNull();
        Find(mesh, "0.0.0.0_3306", TestMesh.Grpc).ShouldBeNull();
    }

    [Theory]
    [InlineData("10.0.0.1_3306", true)]
    [InlineData("::1_3306", true)]
    [InlineData("db:3306", false)]
    [InlineData("db_3306", false)]
    [InlineData("10.0.0.1_0", false)]
    [InlineData("10.0.0.1_70000", false)]
    [InlineData("_3306", false)]
    public void Names_are_an_address_and_a_port(string name, bool expected)
    {
        TcpListenerKey.TryParse(name, out var key).ShouldBe(expected);
        if (expected)
        {
            key.ToString().ShouldBe(name);
        }
    }
}
