using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model.Policies;
using Mode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;

namespace Mesh.ControlPlane.Tests.Model.Policies;

public class PolicyIndexTests
{
    private const string Root = "istio-system";

    private static readonly Dictionary<string, string> Reviews = new() { ["app"] = "reviews", ["version"] = "v1" };

    [Fact]
    public void Without_a_policy_both_are_taken()
        => new TestMesh().Config.Policies.Of("default", Reviews).MutualTls.Mode.ShouldBe(Mode.Permissive);

    [Fact]
    public void What_a_namespace_leaves_unset_is_the_meshs_and_what_a_workload_leaves_unset_the_namespaces()
    {
        var mesh = Peers("""{"mtls":{"mode":"STRICT"}}""", "{}", """{"selector":{"matchLabels":{"app":"reviews"}},"mtls":{"mode":"UNSET"}}""");

        ModeOf(mesh).ShouldBe(Mode.Strict);
    }

    [Fact]
    public void The_nearest_policy_that_says_anything_counts()
    {
        ModeOf(Peers("""{"mtls":{"mode":"STRICT"}}""", """{"mtls":{"mode":"DISABLE"}}""")).ShouldBe(Mode.Disable);
        ModeOf(Peers("""{"mtls":{"mode":"STRICT"}}""", """{"mtls":{"mode":"DISABLE"}}""", """{"selector":{"matchLabels":{"version":"v1"}},"mtls":{"mode":"PERMISSIVE"}}""")).ShouldBe(Mode.Permissive);
        ModeOf(Peers("""{"mtls":{"mode":"STRICT"}}""", "", """{"selector":{"matchLabels":{"app":"ratings"}},"mtls":{"mode":"PERMISSIVE"}}""")).ShouldBe(Mode.Strict);
        ModeOf(Peers("""{"mtls":{"mode":"UNSET"}}""")).ShouldBe(Mode.Permissive);
    }

    [Fact]
    public void A_port_has_a_mode_of_its_own_or_the_workloads()
    {
        var modes = Peers("", "", """{"selector":{"matchLabels":{"app":"reviews"}},"mtls":{"mode":"STRICT"},"portLevelMtls":{"8080":{"mode":"DISABLE"},"8081":{}}}""").Config.Policies.Of("default", Reviews).MutualTls;

        modes.OfPort(8080).ShouldBe(Mode.Disable);
        modes.OfPort(8081).ShouldBe(Mode.Strict);
        modes.OfPort(9090).ShouldBe(Mode.Strict);
        modes.OfPort([8080, 8081]).ShouldBe(Mode.Strict);
    }

    [Fact]
    public void Of_several_for_the_same_the_oldest_counts()
    {
        var mesh = new TestMesh(
            TestDocuments.PeerAuthentication("young", """{"mtls":{"mode":"DISABLE"}}""", age: 1),
            TestDocuments.PeerAuthentication("old", """{"mtls":{"mode":"STRICT"}}""", age: 2),
            TestDocuments.PeerAuthentication("young-workload", """{"selector":{"matchLabels":{"app":"ratings"}},"mtls":{"mode":"PERMISSIVE"}}""", age: 1),
            TestDocuments.PeerAuthentication("old-workload", """{"selector":{"matchLabels":{"app":"ratings"}},"mtls":{"mode":"DISABLE"}}""", age: 2));

        ModeOf(mesh).ShouldBe(Mode.Strict);
        mesh.Config.Policies.Of("default", new Dictionary<string, string> { ["app"] = "ratings" }).MutualTls.Mode.ShouldBe(Mode.Disable);
    }

    [Fact]
    public void A_selector_in_the_root_namespace_selects_nothing_as_with_istio()
    {
        var mesh = new TestMesh(TestDocuments.PeerAuthentication("p", """{"selector":{"matchLabels":{"app":"reviews"}},"mtls":{"mode":"STRICT"}}""", Root));

        ModeOf(mesh).ShouldBe(Mode.Permissive);
        mesh.Config.Policies.Of(Root, Reviews).MutualTls.Mode.ShouldBe(Mode.Permissive);
    }

    [Fact]
    public void Clients_know_of_a_namespace_what_holds_where_no_workload_is_named()
    {
        var mesh = Peers("""{"mtls":{"mode":"STRICT"}}""", "", """{"selector":{"matchLabels":{"app":"reviews"}},"mtls":{"mode":"DISABLE"}}""");

        mesh.Config.Policies.ModeOf("default").ShouldBe(Mode.Strict);
        mesh.Config.Policies.ModeOf("other").ShouldBe(Mode.Strict);
    }

    [Fact]
    public void The_root_namespaces_policies_are_for_everyone_and_come_first()
    {
        var mesh = new TestMesh(
            TestDocuments.MeshConfig("""{"rootNamespace":"base"}"""),
            TestDocuments.AuthorizationPolicy("own", "{}", age: 9),
            TestDocuments.AuthorizationPolicy("selected", """{"selector":{"matchLabels":{"app":"reviews"}}}""", age: 8),
            TestDocuments.AuthorizationPolicy("not-selected", """{"selector":{"matchLabels":{"app":"ratings"}}}"""),
            TestDocuments.AuthorizationPolicy("other", "{}", "other"),
            TestDocuments.AuthorizationPolicy("mesh", "{}", "base"),
            TestDocuments.AuthorizationPolicy("mesh-selected", """{"selector":{"matchLabels":{"version":"v1"}}}""", "base", age: 1));

        mesh.Config.Policies.Of("default", Reviews).Authorizations.Select(policy => policy.Source.Name).ShouldBe(["mesh-selected", "mesh", "own", "selected"]);
        mesh.Config.Policies.Of("base", Reviews).Authorizations.Select(policy => policy.Source.Name).ShouldBe(["mesh-selected", "mesh"]);
    }

    [Fact]
    public void A_policy_with_targets_is_for_the_gateways_that_they_name()
    {
        var mesh = new TestMesh(
            TestDocuments.AuthorizationPolicy("gateway", """{"targetRefs":[{"kind":"Gateway","group":"gateway.networking.k8s.io","name":"edge"}]}"""),
            TestDocuments.AuthorizationPolicy("elsewhere", """{"targetRefs":[{"kind":"Gateway","group":"gateway.networking.k8s.io","name":"edge"}]}""", Root),
            TestDocuments.AuthorizationPolicy("service", """{"targetRef":{"kind":"Service","name":"reviews"}}"""));
        var gateway = new Dictionary<string, string> { ["gateway.networking.k8s.io/gateway-name"] = "edge" };

        mesh.Config.Policies.Of("default", Reviews).Authorizations.ShouldBeEmpty();
        mesh.Config.Policies.Of("default", gateway).Authorizations.Select(policy => policy.Source.Name).ShouldBe(["gateway"]);
    }

    [Fact]
    public void The_rules_of_every_request_authentication_count_in_the_order_of_issuers()
    {
        var mesh = new TestMesh(
            TestDocuments.RequestAuthentication("a", """{"jwtRules":[{"issuer":"c","jwks":"1"},{"issuer":"a","jwks":"2"}]}"""),
            TestDocuments.RequestAuthentication("b", """{"jwtRules":[{"issuer":"b","jwks":"3"}]}""", Root));

        mesh.Config.Policies.Of("default", Reviews).JwtRules.Select(rule => rule.Issuer).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void What_does_not_change_stays_the_same_object()
    {
        var peer = TestDocuments.PeerAuthentication("p", "{}");
        var policy = TestDocuments.AuthorizationPolicy("a", "{}", "other");
        var mesh = new TestMesh(peer, policy);
        var (index, peers) = (mesh.Config.Policies, mesh.Config.Policies.PeerAuthentications);

        mesh.Apply(peer, policy, TestDocuments.Service("reviews", """{"port":80}"""));
        mesh.Config.Policies.ShouldBeSameAs(index);

        mesh.Apply(peer);
        mesh.Config.Policies.ShouldNotBeSameAs(index);
        mesh.Config.Policies.PeerAuthentications.ShouldBeSameAs(peers);
    }

    [Theory]
    [InlineData("td1", "", "td1/ns/a/sa/b", "td1/ns/a/sa/b")]
    [InlineData("td1", "td2,td3", "td1/ns/a/sa/b", "td1/ns/a/sa/b td2/ns/a/sa/b td3/ns/a/sa/b")]
    [InlineData("td1", "td2", "td2/ns/a/sa/b", "td1/ns/a/sa/b td2/ns/a/sa/b")]
    [InlineData("td1", "td2", "cluster.local/ns/a/sa/b", "td1/ns/a/sa/b td2/ns/a/sa/b")]
    [InlineData("td1", "td2", "other/ns/a/sa/b", "other/ns/a/sa/b")]
    [InlineData("td1", "td2", "*/ns/a/sa/b", "*/ns/a/sa/b")]
    [InlineData("td1", "td2", "*", "*")]
    [InlineData("td1", "td2", "sa/b", "sa/b")]
    [InlineData("new-td", "old-td,third", "*-td/ns/a/sa/b", "*-td/ns/a/sa/b third/ns/a/sa/b")]
    [InlineData("td1", "td2", "td1/ns/a/sa/*", "td1/ns/a/sa/* td2/ns/a/sa/*")]
    public void A_principal_of_the_mesh_is_meant_by_all_names_of_its_trust_domain(string domain, string aliases, string principal, string expected)
    {
        var config = new Istio.Mesh.V1Alpha1.MeshConfig { TrustDomain = domain, TrustDomainAliases = { aliases.Split(',', StringSplitOptions.RemoveEmptyEntries) } };

        string.Join(' ', new TrustDomains(config).ExpandPrincipals([principal])).ShouldBe(expected);
    }

    [Fact]
    public void A_trust_domain_of_the_mesh_is_meant_by_all_of_its_names()
        => new TrustDomains(new Istio.Mesh.V1Alpha1.MeshConfig { TrustDomain = "a", TrustDomainAliases = { "b" } }).ExpandDomains(["b", "c", "a"]).ShouldBe(["a", "b", "c"]);

    private static Mode ModeOf(TestMesh mesh) => mesh.Config.Policies.Of("default", Reviews).MutualTls.Mode;

    private static TestMesh Peers(string ofMesh, string ofNamespace = "", string ofWorkload = "")
    {
        var documents = new List<ConfigResource>();
        foreach (var (name, spec, @namespace) in new[] { ("mesh", ofMesh, Root), ("namespace", ofNamespace, "default"), ("workload", ofWorkload, "default") })
        {
            if (spec.Length > 0)
            {
                documents.Add(TestDocuments.PeerAuthentication(name, spec, @namespace));
            }
        }

        return new TestMesh([.. documents]);
    }
}
