namespace Mesh.ControlPlane.Tests.Model;

public class EndpointIndexTests
{
    private const string A = "outbound|80||a.default.svc.cluster.local";

    [Fact]
    public void A_workload_serves_the_services_that_select_it_in_its_own_namespace()
    {
        var mesh = new TestMesh(
            TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\""),
            TestDocuments.Service("a-v2", """{"name":"http","port":80}""", "\"app\":\"a\",\"version\":\"v2\""),
            TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\"", "prod"));
        mesh.Register("one", "app=a,version=v1", "http=10.0.0.1:1");
        mesh.Register("two", "app=a,version=v2", "http=10.0.0.2:2");
        mesh.Register("other", "app=a", "http=10.0.0.3:3", "prod");

        mesh.Addresses(A).ShouldBe(["10.0.0.1:1", "10.0.0.2:2"]);
        mesh.Addresses("outbound|80||a-v2.default.svc.cluster.local").ShouldBe(["10.0.0.2:2"]);
        mesh.Addresses("outbound|80||a.prod.svc.cluster.local").ShouldBe(["10.0.0.3:3"]);
    }

    [Fact]
    public void A_service_without_selector_selects_nobody()
    {
        var mesh = new TestMesh(TestDocuments.Service("a", """{"name":"http","port":80}"""));
        mesh.Register("one", "app=a", "http=10.0.0.1:1");

        mesh.Addresses(A).ShouldBeEmpty();
    }

    [Fact]
    public void Documents_may_come_after_the_workloads_and_change_what_they_select()
    {
        var mesh = new TestMesh();
        mesh.Register("one", "app=a", "http=10.0.0.1:1");
        mesh.Register("two", "app=b", "http=10.0.0.2:2");

        mesh.Apply(TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\""));
        mesh.Addresses(A).ShouldBe(["10.0.0.1:1"]);

        mesh.Apply(TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"b\""));
        mesh.Addresses(A).ShouldBe(["10.0.0.2:2"]);
    }

    [Fact]
    public void A_workload_that_goes_or_changes_its_labels_leaves()
    {
        var mesh = new TestMesh(TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\""));
        mesh.Register("one", "app=a", "http=10.0.0.1:1");
        mesh.Register("two", "app=a", "http=10.0.0.2:2");

        mesh.Register("one", "app=b", "http=10.0.0.1:1");
        mesh.Addresses(A).ShouldBe(["10.0.0.2:2"]);

        mesh.Update("two", null);
        mesh.Addresses(A).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"name":"http-web","port":80}""", "http-web=10.0.0.1:1", "10.0.0.1:1")]
    [InlineData("""{"name":"http-web","port":80}""", "http=10.0.0.1:1,grpc=10.0.0.1:2", "10.0.0.1:1")]
    [InlineData("""{"name":"grpc-api","port":80}""", "http=10.0.0.1:1,grpc=10.0.0.1:2", "10.0.0.1:2")]
    [InlineData("""{"name":"x","port":80,"targetPort":{"strVal":"web"}}""", "web=10.0.0.1:1,y=10.0.0.1:2", "10.0.0.1:1")]
    [InlineData("""{"name":"x","port":80,"targetPort":{"intVal":8080}}""", "8080=10.0.0.1:1,y=10.0.0.1:2", "10.0.0.1:1")]
    [InlineData("""{"name":"x","port":80}""", "anything=10.0.0.1:1", "10.0.0.1:1")]
    [InlineData("""{"name":"grpc","port":80},{"name":"tcp","port":81}""", "http=10.0.0.1:1", null)]
    [InlineData("""{"name":"http","port":80}""", "http=[::1]:1", "::1:1")]
    public void An_announced_address_is_found_by_port_name_target_port_or_protocol(string ports, string addresses, string? expected)
    {
        var mesh = new TestMesh(TestDocuments.Service("a", ports, "\"app\":\"a\""));
        mesh.Register("one", "app=a", addresses);

        mesh.Addresses(A).ShouldBe(expected is null ? [] : [expected]);
    }

    [Fact]
    public void A_service_entry_lists_its_endpoints_with_ports_weights_and_localities()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("ext", """
                {"hosts":["ext.example.com"],"resolution":"STATIC","ports":[{"number":80,"name":"http","protocol":"HTTP","targetPort":8080}],
                 "endpoints":[
                   {"address":"10.0.0.2","ports":{"http":9000},"weight":3,"locality":"eu/b"},
                   {"address":"10.0.0.1","labels":{"version":"v1"},"locality":"eu/a"},
                   {"address":"10.0.0.1","locality":"eu/a"}]}
                """),
            TestDocuments.DestinationRule("ext", """{"host":"ext.example.com","subsets":[{"name":"v1","labels":{"version":"v1"}}]}"""));

        mesh.Addresses("outbound|80||ext.example.com").ShouldBe(["10.0.0.1:8080", "10.0.0.2:9000"]);
        mesh.Addresses("outbound|80|v1|ext.example.com").ShouldBe(["10.0.0.1:8080"]);
        ControlPlane.Generators.SubsetKey.TryParse("outbound|80||ext.example.com", out var key).ShouldBeTrue();
        var localities = ControlPlane.Generators.EndpointGenerator.Generate(TestMesh.Grpc, mesh.Model, key)!.Endpoints;
        localities.Select(locality => locality.LoadBalancingWeight).ShouldBe([1u, 3u]);
        localities.Select(locality => locality.Priority).ShouldBe([0u, 0u]);
    }

    [Fact]
    public void A_workload_entry_is_selected_like_a_workload()
    {
        var entry = TestDocuments.WorkloadEntry("vm", """{"address":"10.0.0.9","labels":{"app":"a"},"ports":{"http":9000}}""");
        var service = TestDocuments.Service("a", """{"name":"http","port":80}""", "\"app\":\"a\"");
        var external = TestDocuments.ServiceEntry("ext", """
            {"hosts":["ext.example.com"],"resolution":"STATIC","ports":[{"number":80,"name":"http","protocol":"HTTP"}],"workloadSelector":{"labels":{"app":"a"}}}
            """);
        var mesh = new TestMesh(service, external, entry);

        mesh.Addresses(A).ShouldBe(["10.0.0.9:9000"]);
        mesh.Addresses("outbound|80||ext.example.com").ShouldBe(["10.0.0.9:9000"]);

        mesh.Apply(service, external);
        mesh.Addresses(A).ShouldBeEmpty();
    }
}
