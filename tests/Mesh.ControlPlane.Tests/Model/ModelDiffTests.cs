using Mesh.ControlPlane.Config;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Model;

public class ModelDiffTests
{
    private static readonly ConfigResource A = TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\"");
    private static readonly ConfigResource B = TestDocuments.Service("b", """{"name":"http","port":80}""", "\"app\":\"b\"");

    private static string[] Names(AdsChange? change, string typeUrl)
        => [.. (change.ShouldNotBeNull().ByType.GetValueOrDefault(typeUrl) ?? new HashSet<string>()).Order(StringComparer.Ordinal)];

    [Fact]
    public void The_same_documents_again_touch_nothing()
    {
        var mesh = new TestMesh(A, B);

        mesh.Apply(A, B).ShouldBeNull();
    }

    [Fact]
    public void A_document_that_only_moved_in_its_file_touches_nothing()
    {
        var mesh = new TestMesh(A, B);

        mesh.Apply(A with { Source = new ConfigSource("other.yaml", 77), Spec = ((Mesh.K8s.V1.ServiceSpec)A.Spec).Clone() }, B).ShouldBeNull();
    }

    [Fact]
    public void One_endpoint_touches_the_endpoints_of_its_service_and_nothing_else()
    {
        var mesh = new TestMesh(A, B, TestDocuments.DestinationRule("a", """{"host":"a","subsets":[{"name":"v1","labels":{"version":"v1"}}]}"""));
        var unrelated = mesh.Model.EndpointsOf(mesh.Config.FindService("default", "b.default.svc.cluster.local")!);

        var change = mesh.Register("one", "app=a", "http=10.0.0.1:1");

        change!.ByType.Keys.ShouldBe([TypeUrls.ClusterLoadAssignment]);
        Names(change, TypeUrls.ClusterLoadAssignment).ShouldBe(["outbound|80|v1|a.default.svc.cluster.local", "outbound|80||a.default.svc.cluster.local"]);
        mesh.Model.EndpointsOf(mesh.Config.FindService("default", "b.default.svc.cluster.local")!).ShouldBeSameAs(unrelated);
    }

    [Fact]
    public void A_workload_that_nobody_selects_touches_nothing()
        => new TestMesh(A, B).Register("one", "app=c", "http=10.0.0.1:1").ShouldBeNull();

    [Fact]
    public void What_leads_connections_elsewhere_touches_their_listeners()
    {
        var db = TestDocuments.Service("db", """{"name":"tcp","port":3306}""");
        var rule = TestDocuments.VirtualService("rule", """{"hosts":["db"],"tcp":[{"route":[{"destination":{"host":"other"}}]}]}""");
        string[] listeners = ["0.0.0.0_3306", "127.0.0.1_3306", "::1_3306", "::_3306"];
        var mesh = new TestMesh(A, db);

        Listeners(mesh.Apply(A, db, rule)).ShouldBe(listeners);
        Listeners(mesh.Apply(A, db, rule, TestDocuments.Service("other", """{"name":"tcp","port":1}"""))).ShouldBe(["0.0.0.0_1", "127.0.0.1_1", "::1_1", "::_1", .. listeners], ignoreOrder: true);
        Listeners(mesh.Apply(A, db, rule, TestDocuments.DestinationRule("other", """{"host":"other","trafficPolicy":{"connectionPool":{"tcp":{"idleTimeout":"1s"}}}}"""))).ShouldContain("0.0.0.0_3306");
        Listeners(mesh.Apply(A, db)).ShouldContain("0.0.0.0_3306");

        static string[] Listeners(AdsChange? change) => [.. Names(change, TypeUrls.Listener).Where(name => name.Contains('_'))];
    }

    [Fact]
    public void A_virtual_service_touches_the_routes_of_its_hosts()
    {
        var mesh = new TestMesh(A, B);

        var change = mesh.Apply(A, B, TestDocuments.VirtualService("rule", """{"hosts":["a"],"http":[{"route":[{"destination":{"host":"b"}}]}]}"""));

        Names(change, TypeUrls.RouteConfiguration).ShouldBe(["outbound|80||a.default.svc.cluster.local"]);
        change!.ByType.Keys.ShouldNotContain(TypeUrls.Cluster);
        change.ByType.Keys.ShouldNotContain(TypeUrls.ClusterLoadAssignment);
    }

    [Fact]
    public void A_virtual_service_for_a_wildcard_touches_the_routes_of_what_it_covers()
    {
        var mesh = new TestMesh(A, B);

        var change = mesh.Apply(A, B, TestDocuments.VirtualService("rule", """{"hosts":["*.default.svc.cluster.local"],"http":[{"route":[{"destination":{"host":"b"}}]}]}"""));

        Names(change, TypeUrls.RouteConfiguration).ShouldBe(["outbound|80||a.default.svc.cluster.local", "outbound|80||b.default.svc.cluster.local"]);
    }

    [Fact]
    public void A_destination_rule_touches_the_clusters_and_endpoints_of_its_host_including_subsets_that_went()
    {
        var mesh = new TestMesh(A, B, TestDocuments.DestinationRule("a", """{"host":"a","subsets":[{"name":"old"}]}"""));

        var change = mesh.Apply(A, B, TestDocuments.DestinationRule("a", """{"host":"a","subsets":[{"name":"new"}]}"""));

        string[] expected = ["outbound|80|new|a.default.svc.cluster.local", "outbound|80|old|a.default.svc.cluster.local", "outbound|80||a.default.svc.cluster.local"];
        Names(change, TypeUrls.Cluster).ShouldBe(expected);
        Names(change, TypeUrls.ClusterLoadAssignment).ShouldBe(expected);
        change!.ByType.Keys.ShouldNotContain(TypeUrls.RouteConfiguration);
        Names(change, TypeUrls.Listener).ShouldAllBe(name => name.StartsWith("tcp://"), "how long a connection may be idle is said on its listener");
    }

    [Fact]
    public void A_new_service_touches_every_name_that_clients_may_have_asked_for()
    {
        var mesh = new TestMesh(A);

        var change = mesh.Apply(A, B);

        Names(change, TypeUrls.Listener).ShouldBe(
        [
            "b", "b.default", "b.default.svc", "b.default.svc.cluster.local", "b.default.svc.cluster.local:80", "b.default.svc:80", "b.default:80", "b:80",
            "tcp://b.default.svc.cluster.local:80", "tcp://b.default.svc:80", "tcp://b.default:80", "tcp://b:80",
        ]);
        Names(change, TypeUrls.Cluster).ShouldBe(["outbound|80||b.default.svc.cluster.local"]);
    }

    [Fact]
    public void The_port_of_a_service_touches_the_routes_that_lead_to_it()
    {
        var rule = TestDocuments.VirtualService("rule", """{"hosts":["a"],"http":[{"route":[{"destination":{"host":"b"}}]}]}""");
        var mesh = new TestMesh(A, B, rule);

        var change = mesh.Apply(A, TestDocuments.Service("b", """{"name":"http","port":8080}""", "\"app\":\"b\""), rule);

        Names(change, TypeUrls.RouteConfiguration).ShouldContain("outbound|80||a.default.svc.cluster.local");
        mesh.RouteSummary("outbound|80||a.default.svc.cluster.local").ShouldBe(["/ -> outbound|8080||b.default.svc.cluster.local"]);
    }
}
