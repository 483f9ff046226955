using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Analysis;

public class SidecarAnalyzerTests
{
    private static readonly ConfigResource Reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");

    private static IReadOnlyList<ConfigDiagnostic> Analyze(params ConfigResource[] documents)
    {
        var diagnostics = new ModelDiagnostics();
        ModelAnalyzer.Analyze(TestDocuments.Snapshot([Reviews, .. documents]), new TestMesh([Reviews, .. documents]).Config, diagnostics);
        return diagnostics.Found;
    }

    private static ConfigResource Sidecar(string name, string selector = "", int age = 0, string hosts = "\"*/*\"", string @namespace = "default")
        => TestDocuments.Sidecar(
            name,
            $$"""{{{(selector.Length > 0 ? $"\"workloadSelector\":{{\"labels\":{{{selector}}}}}," : "")}}"egress":[{"hosts":[{{hosts}}]}]}""",
            @namespace,
            age);

    [Fact]
    public void Two_defaults_of_one_namespace_are_an_error_and_the_older_counts()
    {
        var found = Analyze(Sidecar("old", age: 1), Sidecar("new"), Sidecar("elsewhere", @namespace: "shop")).ShouldHaveSingleItem();

        found.ToString().ShouldBe(
            "new.yaml:1:1: error IST0111: Sidecar default/new: spec.workloadSelector: the namespace default has a Sidecar without a workloadSelector already, "
            + "Sidecar default/old (old.yaml:1); the older one counts, nothing of this one applies: give it a workloadSelector, or remove one of the two");
    }

    [Theory]
    [InlineData("\"app\":\"web\"", "\"app\":\"web\"", true)]
    [InlineData("\"app\":\"web\"", "\"app\":\"web\",\"version\":\"v1\"", true)]
    [InlineData("\"app\":\"web\",\"version\":\"v1\"", "\"app\":\"web\"", true)]
    [InlineData("\"app\":\"web\",\"version\":\"v1\"", "\"app\":\"web\",\"version\":\"v2\"", false)]
    [InlineData("\"app\":\"web\"", "\"app\":\"cart\"", false)]
    public void Two_that_select_the_same_workloads_are_an_error(string older, string newer, bool conflict)
    {
        var found = Analyze(Sidecar("old", older, age: 1), Sidecar("new", newer));

        found.Select(diagnostic => $"{diagnostic.Severity} {diagnostic.Code} {diagnostic.Resource} {diagnostic.Path}")
            .ShouldBe(conflict ? ["Error IST0110 Sidecar default/new spec.workloadSelector.labels"] : []);
    }

    [Theory]
    [InlineData("./details.default.svc.cluster.local", "nothing declares details.default.svc.cluster.local in the namespace default")]
    [InlineData("shop/reviews.default.svc.cluster.local", "it is declared in the namespace default: write \"default/reviews.default.svc.cluster.local\"")]
    [InlineData("*/details.default.svc.cluster.local", "nothing declares details.default.svc.cluster.local, so nothing is let in")]
    public void A_host_that_nothing_declares_is_told(string host, string message)
    {
        var found = Analyze(Sidecar("default", hosts: $"\"{host}\"")).ShouldHaveSingleItem();

        found.Code.ShouldBe("IST0101");
        found.Path.ShouldBe("spec.egress[0].hosts[0]");
        found.Message.ShouldContain(message);
    }

    [Fact]
    public void Good_ones_are_left_in_peace()
        => Analyze(Sidecar("default", hosts: "\"./reviews.default.svc.cluster.local\",\"istio-system/*\",\"~/*\""), Sidecar("web", "\"app\":\"web\"")).ShouldBeEmpty();

    [Theory]
    [InlineData("./*", 9080, true)]
    [InlineData("./*", 80, false)]
    [InlineData("istio-system/*", 9080, false)]
    public void An_egress_proxy_must_be_let_in(string host, int port, bool good)
    {
        var found = Analyze(TestDocuments.Sidecar(
            "default",
            """{"egress":[{"hosts":["HOST"]}],"outboundTrafficPolicy":{"mode":"ALLOW_ANY","egressProxy":{"host":"reviews.default.svc.cluster.local","port":{"number":PORT}}}}"""
                .Replace("HOST", host, StringComparison.Ordinal).Replace("PORT", $"{port}", StringComparison.Ordinal)));

        found.Select(diagnostic => diagnostic.Path).ShouldBe(good ? [] : ["spec.outboundTrafficPolicy.egressProxy.host"]);
    }
}
