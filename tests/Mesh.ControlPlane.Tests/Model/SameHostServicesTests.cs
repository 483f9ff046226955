using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Tests.Model;

public class SameHostServicesTests
{
    private const string Host = "api.example.com";

    private static ConfigResource Entry(string name, string ports, string more, string @namespace = "default", int age = 0)
        => TestDocuments.ServiceEntry(name, $$"""{"hosts":["{{Host}}"],"ports":[{{ports}}],{{more}}}""", @namespace, age);

    private static string Static(string address) => $$"""
        "resolution":"STATIC","endpoints":[{"address":"{{address}}"}]
        """;

    private static string Port(uint number, string protocol = "HTTP", string name = "http") => $$"""{"number":{{number}},"name":"{{name}}","protocol":"{{protocol}}"}""";

    [Fact]
    public void Entries_that_agree_are_one_service_and_each_endpoint_serves_the_ports_of_its_own_entry()
    {
        var mesh = new TestMesh(
            Entry("a", $"{Port(80)},{Port(81, name: "both")}", Static("10.0.0.1") + ",\"addresses\":[\"10.9.0.1\"],\"subjectAltNames\":[\"a\"]", age: 1),
            Entry("b", $"{Port(443)},{Port(81, name: "both")}", Static("10.0.0.2") + ",\"addresses\":[\"10.9.0.2\"],\"subjectAltNames\":[\"a\",\"b\"]"));

        mesh.Diagnostics.ShouldBeEmpty();
        mesh.Addresses($"outbound|80||{Host}").ShouldBe(["10.0.0.1:80"]);
        mesh.Addresses($"outbound|443||{Host}").ShouldBe(["10.0.0.2:443"]);
        mesh.Addresses($"outbound|81||{Host}").ShouldBe(["10.0.0.1:81", "10.0.0.2:81"]);
        var service = mesh.Config.FindService("default", Host).ShouldNotBeNull();
        service.Addresses.ShouldBe(["10.9.0.1", "10.9.0.2"]);
        service.SubjectAltNames.ShouldBe(["a", "b"]);
        service.Source.Name.ShouldBe("a");
    }

    [Fact]
    public void What_entries_are_together_stays_the_same_as_long_as_they_do()
    {
        var a = Entry("a", Port(80), Static("10.0.0.1"), age: 1);
        var b = Entry("b", Port(443), Static("10.0.0.2"));
        var mesh = new TestMesh(a, b);
        var service = mesh.Config.FindService("default", Host);

        mesh.Apply(a, b, Entry("c", Port(1), Static("10.0.0.3"), "elsewhere")).ShouldNotBeNull();
        mesh.Config.FindService("default", Host).ShouldBeSameAs(service);

        mesh.Apply(a).ShouldNotBeNull();
        mesh.Config.FindService("default", Host)!.FindPort(443).ShouldBeNull();
        mesh.Addresses($"outbound|80||{Host}").ShouldBe(["10.0.0.1:80"]);
    }

    [Theory]
    [InlineData("\"resolution\":\"DNS\"", "with another resolution")]
    [InlineData("\"resolution\":\"STATIC\",\"endpoints\":[{\"address\":\"10.0.0.2\"}],\"location\":\"MESH_INTERNAL\"", "with another location")]
    [InlineData("\"resolution\":\"STATIC\",\"workloadSelector\":{\"labels\":{\"app\":\"a\"}}", "with another workloadSelector")]
    [InlineData("\"resolution\":\"STATIC\",\"endpoints\":[{\"address\":\"10.0.0.2\"}],\"exportTo\":[\".\"]", "with another exportTo")]
    public void Of_entries_that_contradict_each_other_the_oldest_counts(string more, string difference)
    {
        var mesh = new TestMesh(Entry("new", Port(443), more), Entry("old", Port(80), Static("10.0.0.1"), age: 1));

        var found = mesh.Diagnostics.ShouldHaveSingleItem();
        found.ToString().ShouldBe(
            $"new.yaml:1:1: warning MESH0101: ServiceEntry default/new: spec.hosts: host {Host} is already declared by ServiceEntry default/old (old.yaml:1) {difference}, "
            + "which counts; remove one of the two or let them agree");
        mesh.Config.FindService("default", Host)!.Ports.ShouldHaveSingleItem().Number.ShouldBe(80u);
    }

    [Fact]
    public void A_port_that_is_declared_twice_in_two_ways_is_the_oldest_ones()
    {
        var mesh = new TestMesh(Entry("new", Port(80, "TCP", "tcp"), Static("10.0.0.2")), Entry("old", Port(80), Static("10.0.0.1"), age: 1));

        mesh.Diagnostics.ShouldHaveSingleItem().Path.ShouldBe("spec.ports");
        mesh.Config.FindService("default", Host)!.Ports.ShouldHaveSingleItem().Name.ShouldBe("http");
    }

    [Fact]
    public void No_entry_takes_the_name_of_a_Service_however_old_it_is()
    {
        var service = TestDocuments.Service("reviews", """{"name":"http","port":9080}""");
        static ConfigResource Squatter(string @namespace) => TestDocuments.ServiceEntry(
            "squatter",
            """{"hosts":["reviews.default.svc.cluster.local"],"ports":[{"number":9080,"name":"http","protocol":"HTTP"}],"resolution":"STATIC","endpoints":[{"address":"10.6.6.6"}]}""",
            @namespace,
            age: 99);
        var mesh = new TestMesh(service, Squatter("default"), Squatter("other"));

        mesh.Addresses("outbound|9080||reviews.default.svc.cluster.local").ShouldBeEmpty();
        mesh.Config.FindService("third", "reviews.default.svc.cluster.local")!.Source.ShouldBe(service);
        mesh.Diagnostics.Select(found => $"{found.Resource} {found.Message.Split(':')[0]}").ShouldBe(
        [
            "ServiceEntry default/squatter host reviews.default.svc.cluster.local is already declared by Service default/reviews (reviews.yaml",
            "ServiceEntry other/squatter host reviews.default.svc.cluster.local is declared otherwise by Service default/reviews (reviews.yaml",
        ]);
    }

    [Theory]
    [InlineData("", "10.0.0.2", true)]
    [InlineData("", "10.0.0.1", false)]
    [InlineData(",\"exportTo\":[\".\"]", "10.0.0.2", false)]
    public void Two_namespaces_may_declare_a_host_each_for_itself(string exportTo, string address, bool told)
    {
        var mesh = new TestMesh(Entry("a", Port(80), Static("10.0.0.1"), "one", age: 1), Entry("b", Port(80), Static(address) + exportTo, "two"));

        mesh.Diagnostics.Select(found => $"{found.Code} {found.Resource}").ShouldBe(told ? ["MESH0101 ServiceEntry two/b"] : []);
        mesh.Config.FindService("two", Host)!.Source.Name.ShouldBe("b");
        mesh.Config.FindService("one", Host)!.Source.Name.ShouldBe("a");
        mesh.Config.FindService("three", Host)!.Source.Name.ShouldBe("a");
    }
}
