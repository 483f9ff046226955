using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Model;

public class SidecarTests
{
    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");
    private static readonly ConfigResource Details = TestDocuments.Service("details", """{"name":"http","port":9080},{"name":"admin","port":9090}""");
    private static readonly ConfigResource Other = TestDocuments.Service("other", """{"name":"http","port":80}""", @namespace: "shop");
    private static readonly ConfigResource Outside = TestDocuments.ServiceEntry(
        "outside", """{"hosts":["api.example.com","*.example.org"],"ports":[{"number":443,"name":"https","protocol":"HTTPS"}],"resolution":"NONE"}""", "shop");

    private static readonly string[] Hosts =
    [
        "reviews.default.svc.cluster.local", "details.default.svc.cluster.local", "other.shop.svc.cluster.local", "api.example.com", "*.example.org",
    ];

    private static TestMesh MeshOf(params ConfigResource[] more) => new([Reviews, Details, Other, Outside, .. more]);

    private static Proxy Client(string labels = "", string @namespace = "default") => TestMesh.At("", labels, @namespace: @namespace);

    /// <summary>The hosts that a client knows, by their first label.</summary>
    private static string Seen(TestMesh mesh, string labels = "", string @namespace = "default")
    {
        var scope = mesh.Config.ScopeOf(Client(labels, @namespace));
        return string.Join(' ', Hosts.Where(host => scope.FindService(host) is not null).Select(host => host.Split('.')[host.StartsWith('*') ? 1 : 0]));
    }

    private static ConfigResource Sidecar(string name, string hosts, string selector = "", string @namespace = "default", int age = 0)
        => TestDocuments.Sidecar(
            name,
            $$"""{{{(selector.Length > 0 ? $"\"workloadSelector\":{{\"labels\":{{{selector}}}}}," : "")}}"egress":[{"hosts":[{{hosts}}]}]}""",
            @namespace,
            age);

    [Theory]
    [InlineData("\"*/*\"", "reviews details other api example")]
    [InlineData("\"./*\"", "reviews details")]
    [InlineData("\"shop/*\"", "other api example")]
    [InlineData("\"~/*\"", "")]
    [InlineData("\"./reviews.default.svc.cluster.local\"", "reviews")]
    [InlineData("\"shop/reviews.default.svc.cluster.local\"", "")]
    [InlineData("\"*/reviews.default.svc.cluster.local\",\"shop/api.example.com\"", "reviews api")]
    [InlineData("\"*/*.svc.cluster.local\"", "reviews details other")]
    [InlineData("\"*/*.com\"", "api")]
    [InlineData("\"*/*.example.org\"", "example")]
    [InlineData("\"*/www.example.org\"", "")]
    [InlineData("\"*/API.example.com\"", "api")]
    public void Lets_in_the_hosts_that_it_names(string hosts, string seen) => Seen(MeshOf(Sidecar("default", hosts))).ShouldBe(seen);

    [Fact]
    public void Without_a_Sidecar_everything_exported_is_seen() => Seen(MeshOf()).ShouldBe("reviews details other api example");

    [Fact]
    public void What_is_not_exported_cannot_be_let_in()
    {
        var hidden = TestDocuments.ServiceEntry("hidden", """{"hosts":["api.example.com"],"exportTo":["."],"ports":[{"number":443,"name":"https","protocol":"HTTPS"}],"resolution":"NONE"}""", "shop");
        var mesh = new TestMesh(hidden, Sidecar("default", "\"*/*\""));

        Seen(mesh).ShouldBe("");
        Seen(mesh, @namespace: "shop").ShouldBe("api");
    }

    [Fact]
    public void The_one_that_selects_the_workload_comes_first_then_the_namespaces_then_the_root_namespaces()
    {
        var root = Sidecar("default", "\"./*\"", @namespace: "istio-system");
        var own = Sidecar("own", "\"*/reviews.default.svc.cluster.local\"");
        var selecting = Sidecar("selecting", "\"*/other.shop.svc.cluster.local\"", "\"app\":\"web\"");

        Seen(MeshOf(root), "app=web").ShouldBe("reviews details");
        // "." is the client's namespace.
        Seen(MeshOf(root), @namespace: "shop").ShouldBe("other api example");
        Seen(MeshOf(root, own), "app=web").ShouldBe("reviews");
        Seen(MeshOf(root, own), @namespace: "shop").ShouldBe("other api example");
        Seen(MeshOf(root, own, selecting), "app=web,version=v1").ShouldBe("other");
        Seen(MeshOf(root, own, selecting), "app=cart").ShouldBe("reviews");
        // It is for its own namespace, also in the root's.
        Seen(MeshOf(Sidecar("selecting", "\"~/*\"", "\"app\":\"web\"", "istio-system")), "app=web").ShouldBe("reviews details other api example");
    }

    [Fact]
    public void Of_several_for_the_same_workload_the_oldest_counts()
    {
        Seen(MeshOf(Sidecar("a", "\"./*\""), Sidecar("b", "\"shop/*\"", age: 1))).ShouldBe("other api example");
        Seen(MeshOf(Sidecar("a", "\"./*\"", "\"app\":\"web\""), Sidecar("b", "\"shop/*\"", "\"version\":\"v1\"", age: 1)), "app=web,version=v1").ShouldBe("other api example");
        Seen(MeshOf(Sidecar("a", "\"./*\"", "\"app\":\"web\""), Sidecar("b", "\"shop/*\"", "\"version\":\"v1\"", age: 1)), "app=web").ShouldBe("reviews details");
    }

    [Fact]
    public void What_it_does_not_say_is_taken_from_the_next()
    {
        var policy = TestDocuments.Sidecar("web", """{"workloadSelector":{"labels":{"app":"web"}},"outboundTrafficPolicy":{"mode":"REGISTRY_ONLY"}}""");
        var own = TestDocuments.Sidecar("default", """{"egress":[{"hosts":["./*"]}],"outboundTrafficPolicy":{"mode":"ALLOW_ANY"}}""");
        var mesh = MeshOf(policy, own);

        Seen(mesh, "app=web").ShouldBe("reviews details");
        mesh.Config.ScopeOf(Client("app=web")).OutboundTrafficPolicy!.Value.Policy.Mode.ShouldBe(Istio.Networking.V1Alpha3.OutboundTrafficPolicy.Types.Mode.RegistryOnly);
        mesh.Config.ScopeOf(Client()).OutboundTrafficPolicy!.Value.Policy.Mode.ShouldBe(Istio.Networking.V1Alpha3.OutboundTrafficPolicy.Types.Mode.AllowAny);
        MeshOf(Sidecar("default", "\"./*\"")).Config.ScopeOf(Client()).OutboundTrafficPolicy.ShouldBeNull();
    }

    [Fact]
    public void A_port_has_the_hosts_of_its_own_entry_and_the_others_those_of_the_entry_without_a_port()
    {
        var mesh = MeshOf(TestDocuments.Sidecar(
            "default",
            """{"egress":[{"port":{"number":9080,"protocol":"HTTP","name":"http"},"hosts":["./reviews.default.svc.cluster.local"]},{"hosts":["*/*"]}]}"""));
        var scope = mesh.Config.ScopeOf(Client());

        scope.Resolve("reviews:9080").ShouldNotBeNull();
        scope.Resolve("details:9080").ShouldBeNull();
        scope.Resolve("details:9090").ShouldNotBeNull();
        scope.FindService("details.default.svc.cluster.local")!.Ports.ShouldHaveSingleItem().Number.ShouldBe(9090u);
        scope.FindService("details.default.svc.cluster.local").ShouldBeSameAs(scope.FindService("details.default.svc.cluster.local"));
        mesh.FindCluster("outbound|9080||details.default.svc.cluster.local", Client()).ShouldBeNull();
        mesh.FindCluster("outbound|9090||details.default.svc.cluster.local", Client()).ShouldNotBeNull();
    }

    [Fact]
    public void What_a_rule_leads_to_comes_with_the_rule_but_not_by_its_own_name()
    {
        const string canary = "outbound|80||other.shop.svc.cluster.local";
        var rule = TestDocuments.VirtualService("reviews", """{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"other.shop.svc.cluster.local"}}]}]}""");
        var mesh = MeshOf(rule, Sidecar("default", "\"./*\""));
        var scope = mesh.Config.ScopeOf(Client());

        mesh.FindCluster(canary, Client()).ShouldNotBeNull();
        scope.Resolve("other.shop:80").ShouldBeNull();
        mesh.Route("outbound|9080||reviews.default.svc.cluster.local", Client()).Route_.Cluster.ShouldBe(canary);

        // A rule that is not let in leads nowhere.
        MeshOf(rule, Sidecar("default", "\"*/details.default.svc.cluster.local\"")).FindCluster(canary, Client()).ShouldBeNull();
        mesh.Apply(Reviews, Details, Other, Outside, Sidecar("default", "\"./*\""))!.ByType[TypeUrls.Cluster].ShouldNotBeNull().ShouldContain(canary);
    }

    [Theory]
    [InlineData("\"./*\"", false)]
    [InlineData("\"./*\",\"rules/*\"", true)]
    [InlineData("\"*/reviews.default.svc.cluster.local\"", true)]
    public void A_VirtualService_comes_in_by_its_own_namespace(string hosts, bool applies)
    {
        var rule = TestDocuments.VirtualService("rule", """{"hosts":["*.default.svc.cluster.local"],"http":[{"timeout":"3s","route":[{"destination":{"host":"reviews.default.svc.cluster.local"}}]}]}""", "rules");
        var mesh = MeshOf(rule, Sidecar("default", hosts));

        (mesh.Route("outbound|9080||reviews.default.svc.cluster.local", Client()).Route_.Timeout.Seconds == 3).ShouldBe(applies);
    }

    [Fact]
    public void A_DestinationRule_comes_with_its_service()
    {
        var rule = TestDocuments.DestinationRule("other", """{"host":"other.shop.svc.cluster.local","subsets":[{"name":"v1"}]}""", "shop");
        var mesh = MeshOf(rule, Sidecar("default", "\"shop/*\""), Sidecar("web", "\"./*\"", "\"app\":\"web\""));

        mesh.FindCluster("outbound|80|v1|other.shop.svc.cluster.local", Client()).ShouldNotBeNull();
        mesh.FindCluster("outbound|80|v1|other.shop.svc.cluster.local", Client("app=web")).ShouldBeNull();
    }

    [Fact]
    public void Of_a_host_in_two_namespaces_the_one_that_is_let_in_is_called()
    {
        static ConfigResource Entry(string @namespace, uint port, int age) => TestDocuments.ServiceEntry(
            "e", $$"""{"hosts":["ext.example.com"],"ports":[{"number":{{port}},"name":"http","protocol":"HTTP"}],"resolution":"DNS"}""", @namespace);
        var mesh = new TestMesh(Entry("one", 1, 2), Entry("two", 2, 1), Sidecar("default", "\"two/*\""));

        mesh.Config.ScopeOf(Client()).Resolve("ext.example.com")!.Value.Port.ShouldBe(2u);
        mesh.Config.Resolve("default", "ext.example.com")!.Value.Port.ShouldBe(1u);
    }

    [Fact]
    public void Listeners_of_connections_are_of_the_services_that_are_let_in()
    {
        var db = TestDocuments.Service("db", """{"name":"tcp","port":3306}""", @namespace: "shop");
        var proxy = new Proxy(ProxyKind.Mesh, "default", new Dictionary<string, string>(), isSidecar: true);

        TcpListenerGenerator.Names(proxy, MeshOf(db).Config).ShouldContain("0.0.0.0_3306");
        TcpListenerGenerator.Names(proxy, MeshOf(db, Sidecar("default", "\"./*\"")).Config).ShouldNotContain("0.0.0.0_3306");
    }
}
