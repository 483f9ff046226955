using Envoy.Config.Cluster.V3;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Generators;

/// <summary>How clients learn who serves a host outside the mesh.</summary>
public class ResolutionTests
{
    private const string Api = "outbound|443||api.example.com";

    private static TestMesh With(string resolution, string more = "", string host = "api.example.com")
        => new(TestDocuments.ServiceEntry("api", $$"""{"hosts":["{{host}}"],"ports":[{"number":443,"name":"http","protocol":"HTTP"}],"resolution":"{{resolution}}"{{more}}}"""));

    [Fact]
    public void A_DNS_service_is_a_cluster_that_resolves_its_host()
        => TestMesh.ShouldBeJson(With("DNS").Cluster(Api), """
            {"name":"outbound|443||api.example.com","type":"STRICT_DNS","connect_timeout":"10s","lb_policy":"LEAST_REQUEST","common_lb_config":{},
             "circuit_breakers":{"thresholds":[{"max_connections":4294967295,"max_pending_requests":4294967295,"max_requests":4294967295,
               "max_retries":4294967295,"track_remaining":true}]},
             "dns_lookup_family":"V4_ONLY","dns_refresh_rate":"60s","dns_jitter":"0.100s","respect_dns_ttl":true,
             "load_assignment":{"cluster_name":"outbound|443||api.example.com","endpoints":[{"locality":{},"load_balancing_weight":1,"lb_endpoints":[
               {"endpoint":{"address":{"socket_address":{"address":"api.example.com","port_value":443}}},"health_status":"HEALTHY","load_balancing_weight":1,
                "metadata":{"filter_metadata":{"istio":{"workload":"api;default;api;;"}}}}]}]},
             "metadata":{"filter_metadata":{"istio":{"default_original_port":443,"external":true,
               "services":[{"host":"api.example.com","name":"api.example.com","namespace":"default"}]}}}}
            """);

    [Fact]
    public void Each_host_of_an_entry_resolves_itself()
    {
        var mesh = new TestMesh(TestDocuments.ServiceEntry("api", """
            {"hosts":["a.example.com","b.example.com"],"ports":[{"number":80,"name":"http","protocol":"HTTP","targetPort":8080}],"resolution":"DNS"}
            """));

        Targets(mesh.Cluster("outbound|80||a.example.com")).ShouldBe(["a.example.com:8080"]);
        Targets(mesh.Cluster("outbound|80||b.example.com")).ShouldBe(["b.example.com:8080"]);
    }

    [Fact]
    public void Names_that_an_entry_lists_are_resolved_in_place_of_its_host()
    {
        var mesh = With("DNS", ""","endpoints":[{"address":"us.example.com","ports":{"http":8443},"weight":3,"locality":"us"},{"address":"10.0.0.9"},{"address":"unix:///tmp/x"}]""");

        Targets(mesh.Cluster(Api)).ShouldBe(["10.0.0.9:443", "us.example.com:8443"]);
        TestMesh.PlacesOf(mesh.Cluster(Api).LoadAssignment).ShouldBe([" p0 w1: 10.0.0.9", "us p0 w3: us.example.com"]);
    }

    [Fact]
    public void DNS_round_robin_takes_one_name_as_it_is_at_each_connection()
    {
        Shown(With("DNS_ROUND_ROBIN")).ShouldBe("LogicalDns LeastRequest");
        Shown(With("DNS_ROUND_ROBIN", ""","endpoints":[{"address":"us.example.com"}]""")).ShouldBe("LogicalDns LeastRequest");
    }

    [Fact]
    public void Without_resolution_the_callers_own_address_is_meant()
    {
        var mesh = With("NONE", host: "*.example.com");
        var cluster = mesh.Cluster("outbound|443||*.example.com");

        cluster.Type.ShouldBe(Cluster.Types.DiscoveryType.OriginalDst);
        cluster.LbPolicy.ShouldBe(Cluster.Types.LbPolicy.ClusterProvided);
        cluster.LoadAssignment.ShouldBeNull();
        cluster.EdsClusterConfig.ShouldBeNull();
        mesh.Config.Resolve("default", "www.example.com:443").ShouldBe(new HostTarget("*.example.com", 443));
    }

    [Fact]
    public void With_dynamic_DNS_the_name_of_each_request_is_resolved_as_without_resolution()
    {
        var mesh = With("DYNAMIC_DNS", host: "*.example.com");

        mesh.Cluster("outbound|443||*.example.com").Type.ShouldBe(Cluster.Types.DiscoveryType.OriginalDst);
        mesh.Diagnostics.ShouldBeEmpty();
    }

    [Fact]
    public void A_target_port_takes_the_place_of_the_callers_own()
    {
        var mesh = new TestMesh(TestDocuments.ServiceEntry(
            "api", """{"hosts":["api.example.com"],"ports":[{"number":443,"name":"https","protocol":"HTTPS","targetPort":8443},{"number":80,"name":"http","protocol":"HTTP"}],"resolution":"NONE"}"""));

        mesh.Cluster(Api).OriginalDstLbConfig.UpstreamPortOverride.ShouldBe(8443u);
        mesh.Cluster("outbound|80||api.example.com").OriginalDstLbConfig.ShouldBeNull();
    }

    [Theory]
    [InlineData("DNS", "LOGICAL_DNS api.example.com:443")]
    [InlineData("DNS_ROUND_ROBIN", "LOGICAL_DNS api.example.com:443")]
    public void gRPC_resolves_one_name(string resolution, string expected)
    {
        var cluster = With(resolution).Cluster(Api, TestMesh.Grpc);

        $"{Cluster.Descriptor.EnumTypes.Single(e => e.Name == "DiscoveryType").FindValueByNumber((int)cluster.Type).Name} {Targets(cluster).Single()}".ShouldBe(expected);
        cluster.DnsLookupFamily.ShouldBe(Cluster.Types.DnsLookupFamily.Auto);
    }

    [Theory]
    [InlineData("NONE", "")]
    [InlineData("DNS", ""","endpoints":[{"address":"a.example.com"},{"address":"b.example.com"}]""")]
    public void gRPC_is_not_told_of_what_it_cannot_resolve(string resolution, string more)
        => With(resolution, more).FindCluster(Api, TestMesh.Grpc).ShouldBeNull();

    [Fact]
    public void A_client_without_IPv4_resolves_IPv6()
        => With("DNS").Cluster(Api, new Proxy(ProxyKind.Mesh, "default", new Dictionary<string, string>(), isIpv6Only: true))
            .DnsLookupFamily.ShouldBe(Cluster.Types.DnsLookupFamily.V6Only);

    [Fact]
    public void Endpoints_of_DNS_services_are_not_asked_for()
    {
        SubsetKey.TryParse(Api, out var key).ShouldBeTrue();
        EndpointGenerator.Generate(TestMesh.Mesh, With("DNS").Model, key).ShouldBeNull();
    }

    [Fact]
    public void An_external_name_is_a_DNS_service_outside_the_mesh()
    {
        var service = TestDocuments.Service("db", """{"name":"http","port":80,"targetPort":{"intVal":8080}}""");
        ((K8s.V1.ServiceSpec)service.Spec).Type = "ExternalName";
        ((K8s.V1.ServiceSpec)service.Spec).ExternalName = "db.example.com.";
        var cluster = new TestMesh(service).Cluster("outbound|80||db.default.svc.cluster.local");

        cluster.Type.ShouldBe(Cluster.Types.DiscoveryType.StrictDns);
        Targets(cluster).ShouldBe(["db.example.com:8080"]);
        cluster.Metadata.FilterMetadata["istio"].Fields["external"].BoolValue.ShouldBeTrue();
    }

    [Fact]
    public void Workload_entries_with_names_are_resolved_and_those_of_listed_endpoints_leave_them_out()
    {
        const string Ports = "\"ports\":[{\"number\":80,\"name\":\"http\",\"protocol\":\"HTTP\"}]";
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("dns", $$$$$"""{"hosts":["dns.example.com"],{{{{{Ports}}}}},"resolution":"DNS","workloadSelector":{"labels":{"app":"vm"}}}"""),
            TestDocuments.ServiceEntry("static", $$$$$"""{"hosts":["static.example.com"],{{{{{Ports}}}}},"resolution":"STATIC","workloadSelector":{"labels":{"app":"vm"}}}"""),
            TestDocuments.WorkloadEntry("a", """{"address":"vm.example.com","labels":{"app":"vm"}}"""),
            TestDocuments.WorkloadEntry("b", """{"address":"10.0.0.1","labels":{"app":"vm"}}"""));

        Targets(mesh.Cluster("outbound|80||dns.example.com")).ShouldBe(["vm.example.com:80", "10.0.0.1:80"]);
        mesh.Addresses("outbound|80||static.example.com").ShouldBe(["10.0.0.1:80"]);
    }

    [Fact]
    public void A_workload_of_a_DNS_service_changes_its_cluster()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("dns", """
                {"hosts":["dns.example.com"],"ports":[{"number":80,"name":"http","protocol":"HTTP"}],"resolution":"DNS","workloadSelector":{"labels":{"app":"vm"}}}
                """));

        mesh.FindCluster("outbound|80||dns.example.com").ShouldBeNull();
        var change = mesh.Register("vm", "app=vm", "http=10.0.0.1:80").ShouldNotBeNull();
        change.ByType[TypeUrls.Cluster].ShouldNotBeNull().ShouldBe(["outbound|80||dns.example.com"]);
        Targets(mesh.Cluster("outbound|80||dns.example.com")).ShouldBe(["10.0.0.1:80"]);
    }

    [Fact]
    public void A_subset_of_a_DNS_service_resolves_the_names_with_its_labels()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("api", """
                {"hosts":["api.example.com"],"ports":[{"number":443,"name":"http","protocol":"HTTP"}],"resolution":"DNS","location":"MESH_INTERNAL",
                 "endpoints":[{"address":"us.example.com","labels":{"region":"us"}},{"address":"eu.example.com","labels":{"region":"eu"}}]}
                """),
            TestDocuments.DestinationRule("api", """{"host":"api.example.com","subsets":[{"name":"eu","labels":{"region":"eu"}}]}"""));

        Targets(mesh.Cluster("outbound|443|eu|api.example.com")).ShouldBe(["eu.example.com:443"]);
        mesh.Cluster(Api).Metadata.FilterMetadata["istio"].Fields.ShouldNotContainKey("external");
    }

    [Fact]
    public void DNS_names_have_priorities_by_place_as_well()
    {
        var mesh = new TestMesh(
            TestDocuments.ServiceEntry("api", """
                {"hosts":["api.example.com"],"ports":[{"number":443,"name":"http","protocol":"HTTP"}],"resolution":"DNS",
                 "endpoints":[{"address":"us.example.com","locality":"us/a"},{"address":"eu.example.com","locality":"eu/a"}]}
                """),
            TestDocuments.DestinationRule("api", """{"host":"api.example.com","trafficPolicy":{"outlierDetection":{}}}"""));

        TestMesh.PlacesOf(mesh.Cluster(Api, TestMesh.At("us/a")).LoadAssignment).ShouldBe(["eu/a p1 w1: eu.example.com", "us/a p0 w1: us.example.com"]);
    }

    [Fact]
    public void A_Unix_socket_is_an_endpoint_for_those_who_can_dial_it()
    {
        var mesh = With("STATIC", ""","endpoints":[{"address":"unix:///run/api.sock"}]""");
        SubsetKey.TryParse(Api, out var key).ShouldBeTrue();

        EndpointGenerator.Generate(TestMesh.Mesh, mesh.Model, key)!.Endpoints[0].LbEndpoints[0].Endpoint.Address.Pipe.Path.ShouldBe("/run/api.sock");
        EndpointGenerator.Generate(TestMesh.Grpc, mesh.Model, key)!.Endpoints.ShouldBeEmpty();
    }

    private static string[] Targets(Cluster cluster) =>
    [
        .. cluster.LoadAssignment.Endpoints.SelectMany(group => group.LbEndpoints)
            .Select(endpoint => $"{endpoint.Endpoint.Address.SocketAddress.Address}:{endpoint.Endpoint.Address.SocketAddress.PortValue}"),
    ];

    private static string Shown(TestMesh mesh) => $"{mesh.Cluster(Api).Type} {mesh.Cluster(Api).LbPolicy}";
}
