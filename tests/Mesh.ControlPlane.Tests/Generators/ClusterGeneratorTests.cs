using Envoy.Config.Cluster.V3;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Tests.Generators;

public class ClusterGeneratorTests
{
    private static Cluster? Generate(TestMesh mesh, string name, Proxy? proxy = null)
    {
        SubsetKey.TryParse(name, out var key).ShouldBeTrue();
        return ClusterGenerator.Generate(proxy ?? TestMesh.Mesh, mesh.Model, key);
    }

    [Fact]
    public void Least_request_is_the_default()
        => Generate(new TestMesh(TestDocuments.Service("a", """{"name":"http","port":80}""")), "outbound|80||a.default.svc.cluster.local")
            .ShouldNotBeNull().LbPolicy.ShouldBe(Cluster.Types.LbPolicy.LeastRequest);

    [Theory]
    [InlineData("http2", "", "h2")]
    [InlineData("grpc-api", "", "h2")]
    [InlineData("http", "", "")]
    [InlineData("http", "kubernetes.io/h2c", "h2")]
    [InlineData("grpc", "http", "")]
    [InlineData("tcp", "", "")]
    [InlineData("", "", "as the caller")]
    public void HTTP2_is_spoken_where_the_port_says_so(string name, string appProtocol, string protocol)
    {
        var mesh = new TestMesh(TestDocuments.Service("a", $$"""{"name":"{{name}}","port":80,"appProtocol":"{{appProtocol}}"}"""));
        const string Name = "outbound|80||a.default.svc.cluster.local";

        mesh.Cluster(Name).HttpOptions().ShouldBe(protocol switch
        {
            "h2" => """{ "explicit_http_config": { "http2_protocol_options": { } } }""",
            "" => null,
            _ => """{ "use_downstream_protocol_config": { "http_protocol_options": { }, "http2_protocol_options": { } } }""",
        });
        mesh.Cluster(Name, TestMesh.Grpc).TypedExtensionProtocolOptions.ShouldBeEmpty();
    }

    [Fact]
    public void The_port_overrides_the_subset_and_the_subset_overrides_the_rule()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("a", """{"name":"http","port":80},{"name":"http-b","port":81}"""),
            TestDocuments.DestinationRule("a", """
                {"host":"a","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}},"subsets":[
                  {"name":"plain"},
                  {"name":"own","trafficPolicy":{"loadBalancer":{"simple":"ROUND_ROBIN"},
                    "portLevelSettings":[{"port":{"number":81},"connectionPool":{"tcp":{"connectTimeout":"2s"}}}]}}]}
                """));

        Cluster.Types.LbPolicy PolicyOf(string name) => Generate(mesh, name).ShouldNotBeNull().LbPolicy;

        PolicyOf("outbound|80|plain|a.default.svc.cluster.local").ShouldBe(Cluster.Types.LbPolicy.Random);
        PolicyOf("outbound|80|own|a.default.svc.cluster.local").ShouldBe(Cluster.Types.LbPolicy.RoundRobin);

        // Settings for a port inherit nothing.
        PolicyOf("outbound|81|own|a.default.svc.cluster.local").ShouldBe(Cluster.Types.LbPolicy.LeastRequest);
        Generate(mesh, "outbound|81|own|a.default.svc.cluster.local")!.ConnectTimeout.Seconds.ShouldBe(2);
    }

    [Theory]
    [InlineData("outbound|80|v9|a.default.svc.cluster.local")]
    [InlineData("outbound|8080||a.default.svc.cluster.local")]
    [InlineData("outbound|80||b.default.svc.cluster.local")]
    public void There_is_no_cluster_for_an_unknown_subset_port_or_service(string name)
        => Generate(new TestMesh(TestDocuments.Service("a", """{"name":"http","port":80}""")), name).ShouldBeNull();
}
