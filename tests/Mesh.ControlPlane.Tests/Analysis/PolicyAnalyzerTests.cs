using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Analysis;

public class PolicyAnalyzerTests
{
    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":80,"targetPort":{"intVal":9080}}""", "\"app\":\"reviews\"");

    [Fact]
    public void Good_policies_are_left_in_peace()
        => Analyze(
            TestDocuments.PeerAuthentication("mesh", """{"mtls":{"mode":"STRICT"}}""", "istio-system"),
            TestDocuments.PeerAuthentication("ports", """{"selector":{"matchLabels":{"app":"reviews"}},"portLevelMtls":{"9080":{"mode":"DISABLE"}}}"""),
            TestDocuments.PeerAuthentication("version", """{"selector":{"matchLabels":{"version":"v1"}},"mtls":{"mode":"DISABLE"}}"""),
            TestDocuments.RequestAuthentication("jwt", """{"selector":{"matchLabels":{"app":"reviews","version":"v1"}},"jwtRules":[{"issuer":"a","jwksUri":"https://a/k"}]}"""),
            TestDocuments.AuthorizationPolicy("nothing", "{}"),
            TestDocuments.AuthorizationPolicy("allow", """{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}],"to":[{"operation":{"ports":["9080","15020"]}}]}]}""")).ShouldBeEmpty();

    [Theory]
    [InlineData("""{"selector":{"matchLabels":{"app":"revews"}}}""", "IST0127 spec.selector.matchLabels no Service selects workloads with the labels app=revews")]
    [InlineData("""{"selector":{"matchLabels":{"app":"reviews"}},"portLevelMtls":{"80":{"mode":"DISABLE"}}}""", "IST0101 spec.portLevelMtls.80 80 is the port of a Service; policies speak of the port of the workload, which is 9080")]
    [InlineData("""{"selector":{"matchLabels":{"app":"reviews"}},"portLevelMtls":{"81":{"mode":"DISABLE"}}}""", "IST0101 spec.portLevelMtls.81 no Service is served at the port 81 of these workloads (there are 9080)")]
    public void A_PeerAuthentication_that_is_for_nothing(string spec, string expected)
        => Analyze(TestDocuments.PeerAuthentication("p", spec)).ShouldHaveSingleItem().ShouldStartWith(expected);

    [Fact]
    public void A_selector_in_the_root_namespace()
        => Analyze(TestDocuments.PeerAuthentication("p", """{"selector":{"matchLabels":{"app":"reviews"}}}""", "istio-system")).ShouldHaveSingleItem().ShouldStartWith("MESH0004 spec.selector istio-system is the root namespace");

    [Theory]
    [InlineData("{}", "{}", "istio-system", "spec there is a PeerAuthentication for the mesh already, PeerAuthentication istio-system/old")]
    [InlineData("{}", "{}", "default", "spec there is a PeerAuthentication for the namespace default already")]
    [InlineData("""{"selector":{"matchLabels":{"app":"reviews"}}}""", """{"selector":{"matchLabels":{"app":"reviews","version":"v1"}}}""", "default", "spec.selector.matchLabels there is a PeerAuthentication for these workloads already")]
    public void Of_two_for_the_same_the_younger_is_told(string old, string young, string @namespace, string expected)
        => Analyze(TestDocuments.PeerAuthentication("young", young, @namespace, age: 1), TestDocuments.PeerAuthentication("old", old, @namespace, age: 2))
            .ShouldHaveSingleItem().ShouldStartWith($"MESH0101 {expected}");

    [Theory]
    [InlineData("""{"rules":[{"to":[{"operation":{"ports":["80"]}}]}]}""", "IST0101 spec.rules[0].to[0].operation.ports[0] 80 is the port of a Service")]
    [InlineData("""{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}]}]}""", "IST0101 spec.rules[0].from[0].source.requestPrincipals no RequestAuthentication is for these workloads")]
    [InlineData("""{"action":"CUSTOM","provider":{"name":"opa"},"rules":[{}]}""", "IST0101 spec.provider.name none of the extensionProviders of the MeshConfig is called \"opa\"")]
    public void An_AuthorizationPolicy_that_cannot_do_what_it_says(string spec, string expected)
        => Analyze(TestDocuments.AuthorizationPolicy("p", spec)).ShouldHaveSingleItem().ShouldStartWith(expected);

    [Fact]
    public void A_trial_that_is_written_wrongly_is_none()
        => Analyze(TestDocuments.AuthorizationPolicy("p", "{}") with { Annotations = new Dictionary<string, string> { ["istio.io/dry-run"] = "yes" } })
            .ShouldHaveSingleItem().ShouldStartWith("MESH0004 metadata.annotations istio.io/dry-run: \"yes\" is neither");

    private static string[] Analyze(params ConfigResource[] policies)
    {
        var diagnostics = new ModelDiagnostics();
        ConfigResource[] documents = [Reviews, .. policies];
        ModelAnalyzer.Analyze(TestDocuments.Snapshot(documents), new TestMesh(documents).Config, diagnostics);
        diagnostics.Found.ShouldAllBe(found => found.Severity == ConfigSeverity.Warning);
        return [.. diagnostics.Found.Select(found => $"{found.Code} {found.Path} {found.Message}")];
    }
}
