using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Tests.Analysis;

public class TelemetryAnalyzerTests
{
    private static readonly ConfigResource Zipkin = TestDocuments.Service("zipkin", """{"name":"http","port":9411}""", "\"app\":\"zipkin\"", "istio-system");

    [Fact]
    public void Good_documents_are_left_in_peace()
        => Analyze(
            TestDocuments.MeshConfig("""{"extensionProviders":[{"name":"zipkin","zipkin":{"service":"zipkin.istio-system.svc.cluster.local","port":9411}}]}"""),
            TestDocuments.Telemetry("mesh", """{"tracing":[{"providers":[{"name":"zipkin"}]}],"accessLogging":[{"providers":[{"name":"envoy"}]}],"metrics":[{"providers":[{"name":"prometheus"}]}]}""", "istio-system"),
            TestDocuments.Telemetry("own", """{"accessLogging":[{"filter":{"expression":"true"}}]}"""),
            TestDocuments.Telemetry("a", """{"selector":{"matchLabels":{"app":"a"}},"accessLogging":[{"disabled":true}]}"""),
            TestDocuments.Telemetry("b", """{"selector":{"matchLabels":{"app":"b"}}}""")).ShouldBeEmpty();

    [Theory]
    [InlineData("""{"tracing":[{"providers":[{"name":"jaeger"}]}]}""", "Warning IST0101 spec.tracing[0].providers[0].name none of the extensionProviders of the MeshConfig is called \"jaeger\": no spans are told to it; there are prometheus, stackdriver, envoy")]
    [InlineData("""{"accessLogging":[{"providers":[{"name":"envoy"},{"name":"file"}]}]}""", "Warning IST0101 spec.accessLogging[0].providers[1].name none of the extensionProviders of the MeshConfig is called \"file\"")]
    [InlineData("""{"metrics":[{"providers":[{"name":"envoy"}]}]}""", "Warning MESH0004 spec.metrics[0].providers[0].name \"envoy\" (envoyFileAccessLog) is no provider that metrics are told to by this version")]
    [InlineData("""{"accessLogging":[{"filter":{"expression":"true"}}]}""", "Warning IST0157 spec.accessLogging[0] names no provider, and there is none to inherit")]
    public void A_provider_that_is_none(string spec, string expected)
        => Analyze(TestDocuments.Telemetry("t", spec)).ShouldHaveSingleItem().ShouldStartWith(expected);

    [Fact]
    public void Of_two_for_a_namespace_the_younger_is_told()
        => Analyze(TestDocuments.Telemetry("young", "{}", age: 1), TestDocuments.Telemetry("old", "{}", age: 2))
            .ShouldHaveSingleItem().ShouldStartWith("Error IST0160 spec.selector the namespace default has a Telemetry without a selector already, Telemetry default/old");

    [Fact]
    public void Of_two_for_a_workload_the_younger_is_told()
        => Analyze(
                TestDocuments.Telemetry("young", """{"selector":{"matchLabels":{"app":"a","version":"v1"}}}""", age: 1),
                TestDocuments.Telemetry("old", """{"selector":{"matchLabels":{"app":"a"}}}""", age: 2))
            .ShouldHaveSingleItem().ShouldStartWith("Error IST0159 spec.selector.matchLabels selects workloads that Telemetry default/old");

    [Theory]
    [InlineData("gone.istio-system.svc.cluster.local", 9411, "Warning IST0101 spec.extensionProviders[0].zipkin.service no Service and no ServiceEntry has the host gone.istio-system.svc.cluster.local")]
    [InlineData("zipkin.istio-system.svc.cluster.local", 80, "Warning IST0101 spec.extensionProviders[0].zipkin.port zipkin.istio-system.svc.cluster.local has no port 80 (there are 9411)")]
    public void A_collector_that_nobody_has(string service, int port, string expected)
        => Analyze(TestDocuments.MeshConfig($$$"""{"extensionProviders":[{"name":"z","zipkin":{"service":"{{{service}}}","port":{{{port}}}}}]}""")).ShouldHaveSingleItem().ShouldStartWith(expected);

    private static string[] Analyze(params ConfigResource[] others)
    {
        var diagnostics = new ModelDiagnostics();
        ConfigResource[] documents = [Zipkin, .. others];
        ModelAnalyzer.Analyze(TestDocuments.Snapshot(documents), new TestMesh(documents).Config, diagnostics);
        return [.. diagnostics.Found.Select(found => $"{found.Severity} {found.Code} {found.Path} {found.Message}")];
    }
}
