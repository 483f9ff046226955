using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using Mesh.K8s.V1;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Model;

public class ExternalNameTests
{
    private const string Reviews = "reviews.default.svc.cluster.local";

    private static readonly ConfigResource ReviewsService = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");

    private static ConfigResource Alias(string name, string externalName, string ports = """{"name":"http","port":80}""", string @namespace = "default")
    {
        var service = TestDocuments.Service(name, ports, @namespace: @namespace);
        ((ServiceSpec)service.Spec).Type = "ExternalName";
        ((ServiceSpec)service.Spec).ExternalName = externalName;
        return service;
    }

    [Fact]
    public void A_host_outside_is_told_its_own_name()
    {
        var mesh = new TestMesh(
            Alias("externalbin", "httpbin.org"),
            ReviewsService,
            TestDocuments.VirtualService("mixed", """{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews"},"weight":1},{"destination":{"host":"externalbin"},"weight":1}]}]}"""),
            TestDocuments.VirtualService("own", """{"hosts":["own.example.com"],"http":[{"rewrite":{"authority":"other.example.com"},"route":[{"destination":{"host":"externalbin"}}]}]}"""));

        mesh.Route("outbound|80||externalbin.default.svc.cluster.local").Route_.AutoHostRewrite.ShouldBe(true);
        mesh.Route("outbound|80||externalbin.default.svc.cluster.local", TestMesh.Grpc).Route_.AutoHostRewrite.ShouldBeNull();
        mesh.Route($"outbound|9080||{Reviews}").Route_.AutoHostRewrite.ShouldBe(true);
        var own = mesh.Route("outbound|80||own.example.com").Route_;
        own.HostRewriteLiteral.ShouldBe("other.example.com");
        own.Cluster.ShouldBe("outbound|80||externalbin.default.svc.cluster.local");
    }

    [Theory]
    [InlineData("alias:9080")]
    [InlineData("alias")]
    [InlineData("twice:9080")]
    [InlineData("alias.default.svc.cluster.local:9080")]
    public void Another_name_of_a_host_of_the_mesh_means_that_host(string authority)
    {
        var mesh = new TestMesh(ReviewsService, Alias("alias", Reviews, ""), Alias("twice", "alias.default.svc.cluster.local"));

        mesh.Diagnostics.ShouldBeEmpty();
        mesh.Config.Resolve("default", authority).ShouldBe(new HostTarget(Reviews, 9080));
        var host = mesh.Routes($"outbound|9080||{Reviews}").VirtualHosts.ShouldHaveSingleItem();
        host.Domains.ShouldContain(authority);
        host.Routes[0].Route_.AutoHostRewrite.ShouldBeNull();
    }

    [Fact]
    public void A_route_to_another_name_leads_to_the_host()
        => new TestMesh(ReviewsService, Alias("alias", Reviews, ""), TestDocuments.VirtualService("v", """{"hosts":["web.example.com"],"http":[{"route":[{"destination":{"host":"alias"}}]}]}"""))
            .Route("outbound|80||web.example.com").Route_.Cluster.ShouldBe($"outbound|9080||{Reviews}");

    [Fact]
    public void Names_that_go_round_in_a_circle_end()
    {
        var mesh = new TestMesh(Alias("a", "b.default.svc.cluster.local"), Alias("b", "a.default.svc.cluster.local"));

        mesh.Config.Resolve("default", "a:80").ShouldNotBeNull();
        mesh.Routes("outbound|80||a.default.svc.cluster.local").VirtualHosts[0].Domains.ShouldBeUnique();
    }

    [Fact]
    public void Another_name_that_comes_touches_the_routes_of_the_host()
    {
        var change = new TestMesh(ReviewsService).Apply(ReviewsService, Alias("alias", Reviews)).ShouldNotBeNull();

        change.ByType[TypeUrls.RouteConfiguration].ShouldNotBeNull().ShouldContain($"outbound|9080||{Reviews}");
        change.ByType[TypeUrls.Listener].ShouldNotBeNull().ShouldContain("alias:9080");
    }

    [Fact]
    public void A_host_that_comes_is_told_to_those_who_have_asked_for_its_other_name()
    {
        var alias = Alias("alias", Reviews);
        var change = new TestMesh(alias).Apply(alias, ReviewsService).ShouldNotBeNull();

        change.ByType[TypeUrls.Listener].ShouldNotBeNull().ShouldContain("alias:9080");
    }
}
