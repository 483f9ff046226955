using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Generators;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>What an engine in a process is told about connections: the chains of a proxy beside it, by the name that code uses.</summary>
public class ConnectionListenerTests
{
    private const string Db = "outbound|3306||db.default.svc.cluster.local";

    private static readonly ConfigResource DbService = TestDocuments.Service("db", """{"name":"tcp-sql","port":3306}""", "\"app\":\"db\"");

    [Theory]
    [InlineData("tcp://db:3306")]
    [InlineData("tcp://DB:3306")]
    [InlineData("tcp://db.default:3306")]
    [InlineData("tcp://db.default.svc:3306")]
    [InlineData("tcp://db.default.svc.cluster.local:3306")]
    public void A_service_by_every_name_that_it_has(string name)
        => TestMesh.ShouldBeJson(Find(new TestMesh(DbService), name).ShouldNotBeNull(), $$$"""
            {"name":"{{{name}}}",
             "address":{"socket_address":{"address":"0.0.0.0","port_value":3306}},
             "filter_chains":[{"filters":[{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig"}},{"name":"envoy.filters.network.tcp_proxy","typed_config":{
               "@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
               "stat_prefix":"{{{Db}}}","cluster":"{{{Db}}}"}}]}],
             "listener_filters_timeout":"0s",
             "continue_on_listener_filters_timeout":true,
             "traffic_direction":"OUTBOUND"}
            """);

    [Theory]
    [InlineData("tcp://db")]
    [InlineData("tcp://db:3307")]
    [InlineData("tcp://db.prod:3306")]
    [InlineData("tcp://:3306")]
    [InlineData("tcp://")]
    [InlineData("tcp://ruled.example.com:80")]
    public void What_is_no_service_and_port_is_not_known(string name)
        => Find(new TestMesh(DbService, TestDocuments.VirtualService("ruled", """{"hosts":["ruled.example.com"],"http":[{"route":[{"destination":{"host":"db"}}]}]}""")), name).ShouldBeNull();

    [Fact]
    public void A_service_of_UDP_has_no_connections()
        => Find(new TestMesh(TestDocuments.Service("dns", """{"name":"dns","port":53,"protocol":"UDP"}""", "\"app\":\"dns\"")), "tcp://dns:53").ShouldBeNull();

    [Fact]
    public void A_gRPC_library_would_refuse_it()
        => Find(new TestMesh(DbService), "tcp://db:3306", TestMesh.Grpc).ShouldBeNull();

    [Fact]
    public void The_address_of_the_service_is_the_destination_that_rules_ask_for()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("vip", """{"hosts":["db.example.com"],"addresses":["10.9.0.7"],"ports":[{"number":3306,"name":"tcp","protocol":"TCP"}],"resolution":"STATIC"}"""),
            TestDocuments.VirtualService("rule", """{"hosts":["db.example.com"],"tcp":[{"match":[{"destinationSubnets":["10.9.0.0/16"]}],"route":[{"destination":{"host":"other","port":{"number":1}}}]}]}"""));

        foreach (var name in new[] { "tcp://db.example.com:3306", "tcp://10.9.0.7:3306" })
        {
            var listener = Find(mesh, name).ShouldNotBeNull();
            listener.Address.SocketAddress.Address.ShouldBe("10.9.0.7");
            listener.FilterChains.ShouldHaveSingleItem().FilterChainMatch.PrefixRanges.ShouldHaveSingleItem().AddressPrefix.ShouldBe("10.9.0.0");
            ProxyOf(listener.DefaultFilterChain).Cluster.ShouldBe("outbound|3306||db.example.com");
        }
    }

    [Fact]
    public void A_port_of_TLS_has_chains_by_server_name_and_none_that_passes_on()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("site", """{"hosts":["*.example.com"],"ports":[{"number":443,"name":"tls","protocol":"TLS"}],"resolution":"NONE"}"""),
            TestDocuments.VirtualService("rule", """{"hosts":["*.example.com"],"tls":[{"match":[{"sniHosts":["a.example.com"]}],"route":[{"destination":{"host":"a","port":{"number":1}}}]}]}"""));

        var listener = Find(mesh, "tcp://a.example.com:443").ShouldNotBeNull();

        listener.FilterChains.ShouldHaveSingleItem().FilterChainMatch.ServerNames.ShouldBe(["a.example.com"]);
        listener.ListenerFilters.ShouldHaveSingleItem().Name.ShouldBe("envoy.filters.listener.tls_inspector");
        listener.DefaultFilterChain.ShouldBeNull();
    }

    [Fact]
    public void A_port_of_HTTP_is_carried_to_its_service_whatever_its_tcp_rules()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("web", """{"name":"http","port":80}""", "\"app\":\"web\""),
            TestDocuments.VirtualService("rule", """{"hosts":["web"],"tcp":[{"route":[{"destination":{"host":"other"}}]}]}"""));

        ProxyOf(Find(mesh, "tcp://web:80").ShouldNotBeNull().FilterChains.ShouldHaveSingleItem()).Cluster.ShouldBe("outbound|80||web.default.svc.cluster.local");
    }

    [Fact]
    public void Who_asks_decides_and_the_policy_says_how_long()
    {
        var mesh = new TestMesh(
            DbService,
            TestDocuments.VirtualService("rule", """{"hosts":["db"],"tcp":[{"match":[{"sourceLabels":{"app":"job"}}],"route":[{"destination":{"host":"db","subset":"v2"}}]}]}"""),
            TestDocuments.DestinationRule("db", """{"host":"db","trafficPolicy":{"connectionPool":{"tcp":{"idleTimeout":"30s","maxConnectionDuration":"60s"}}},"subsets":[{"name":"v2"}]}"""));

        ProxyOf(Find(mesh, "tcp://db:3306", TestMesh.At("", "app=job")).ShouldNotBeNull().FilterChains[0]).Cluster.ShouldBe("outbound|3306|v2|db.default.svc.cluster.local");
        var other = ProxyOf(Find(mesh, "tcp://db:3306", TestMesh.At("", "app=web")).ShouldNotBeNull().FilterChains[0]);
        other.Cluster.ShouldBe(Db);
        other.IdleTimeout.Seconds.ShouldBe(30);
        other.MaxDownstreamConnectionDuration.Seconds.ShouldBe(60);
    }

    [Fact]
    public void Every_change_that_matters_is_told_by_name()
    {
        var mesh = new TestMesh(DbService);
        string[] names = ["tcp://db.default.svc.cluster.local:3306", "tcp://db.default.svc:3306", "tcp://db.default:3306", "tcp://db:3306"];

        var rule = TestDocuments.VirtualService("rule", """{"hosts":["db"],"tcp":[{"route":[{"destination":{"host":"db","subset":"v2"}}]}]}""");
        Told(rule, null);
        Told(rule, TestDocuments.DestinationRule("db", """{"host":"db","trafficPolicy":{"connectionPool":{"tcp":{"idleTimeout":"30s"}}}}"""));

        void Told(params ConfigResource?[] documents)
            => names.ShouldBeSubsetOf(mesh.Apply([DbService, .. documents.OfType<ConfigResource>()]).ShouldNotBeNull().ByType[TypeUrls.Listener].ShouldNotBeNull());
    }

    private static TcpProxy ProxyOf(FilterChain chain) => chain.Filters[^1].TypedConfig.Unpack<TcpProxy>();

    private static Listener? Find(TestMesh mesh, string name, Proxy? proxy = null)
        => new ResourceCache().Get(mesh.Model, proxy ?? TestMesh.Mesh, TypeUrls.Listener, wildcard: false, [name]).SingleOrDefault() is { } resource
            ? Listener.Parser.ParseFrom(resource.Body.Value)
            : null;
}
