using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Model;

public class AddressTests
{
    private static ConfigResource Entry(string name, string addresses, uint port = 80, string @namespace = "default", string more = "")
        => TestDocuments.ServiceEntry(
            name,
            $$"""{"hosts":["{{name}}.example.com"],"addresses":[{{addresses}}],"ports":[{"number":{{port}},"name":"http","protocol":"HTTP"}],"resolution":"NONE"{{more}}}""",
            @namespace);

    [Theory]
    [InlineData("10.9.0.7", "one:80")]
    [InlineData("10.9.0.7:80", "one:80")]
    [InlineData("10.9.0.7:81", null)]
    [InlineData("10.9.5.5:80", "narrow:80")]
    [InlineData("10.9.200.5:80", "wide:80")]
    [InlineData("10.10.0.1:80", null)]
    [InlineData("[2001:db8::7]:80", "six:80")]
    [InlineData("[2001:db8:0::7]", "six:80")]
    [InlineData("192.0.2.1:8080", "literal:8080")]
    public void A_host_is_called_by_its_address_the_narrowest_first(string authority, string? expected)
    {
        var mesh = new TestMesh(
            Entry("wide", "\"10.9.0.0/16\""),
            Entry("narrow", "\"10.9.5.77/24\""),
            Entry("one", "\"10.9.0.7\""),
            Entry("six", "\"2001:DB8::7\""),
            Entry("other", "\"10.9.0.7\"", 8080),
            TestDocuments.ServiceEntry("literal", """{"hosts":["192.0.2.1"],"ports":[{"number":8080,"name":"http","protocol":"HTTP"}],"resolution":"NONE"}"""));

        var target = mesh.Config.Resolve("default", authority);

        (target is { } found ? $"{(found.Host.StartsWith("192", StringComparison.Ordinal) ? "literal" : found.Host.Split('.')[0])}:{found.Port}" : null).ShouldBe(expected);
    }

    [Fact]
    public void The_address_of_a_service_that_the_client_does_not_see_is_none()
    {
        var mesh = new TestMesh(Entry("one", "\"10.9.0.7\"", @namespace: "shop", more: ",\"exportTo\":[\".\"]"));

        mesh.Config.Resolve("default", "10.9.0.7").ShouldBeNull();
        mesh.Config.Resolve("shop", "10.9.0.7").ShouldNotBeNull();
    }

    [Fact]
    public void Routes_are_for_the_addresses_too()
    {
        new TestMesh(Entry("one", "\"10.9.0.7\",\"2001:db8::7\"")).Routes("outbound|80||one.example.com").VirtualHosts[0].Domains
            .ShouldBe(["one.example.com", "one.example.com:80", "10.9.0.7", "10.9.0.7:80", "[2001:db8::7]", "[2001:db8::7]:80"]);
        new TestMesh(Entry("one", "\"10.9.0.0/16\"")).Routes("outbound|80||one.example.com").VirtualHosts[0].Domains
            .ShouldBe(["one.example.com", "one.example.com:80", "*"]);
    }

    [Fact]
    public void An_address_that_comes_or_goes_is_told_to_those_who_have_asked_for_it()
    {
        var mesh = new TestMesh(Entry("one", "\"10.9.0.7\""));

        mesh.Apply(Entry("one", "\"10.9.0.8\""))!.ByType[TypeUrls.Listener].ShouldNotBeNull().ShouldBeSubsetOf(
            ["one.example.com", "one.example.com:80", "10.9.0.7", "10.9.0.7:80", "10.9.0.8", "10.9.0.8:80", "tcp://one.example.com:80", "tcp://10.9.0.7:80", "tcp://10.9.0.8:80"]);
        mesh.Apply(Entry("one", "\"10.9.0.0/16\""))!.ByType[TypeUrls.Listener].ShouldBeNull();
    }

    [Theory]
    [InlineData("a-eu.example.com:80", "*-eu.example.com")]
    [InlineData("a.b-eu.example.com:80", "*-eu.example.com")]
    [InlineData("eu.example.com:80", "*.example.com")]
    [InlineData("x.a-eu.example.com:80", "*.a-eu.example.com")]
    [InlineData("x.a-eu.example.com:81", "*.example.com")]
    public void The_longest_suffix_that_has_the_port_is_meant(string authority, string host)
    {
        static ConfigResource Wild(string name, string host, string ports) => TestDocuments.ServiceEntry(name, $$"""{"hosts":["{{host}}"],"ports":[{{ports}}],"resolution":"NONE"}""");
        const string http = """{"number":80,"name":"http","protocol":"HTTP"}""";
        var mesh = new TestMesh(
            Wild("a", "*.example.com", http + """,{"number":81,"name":"other","protocol":"HTTP"}"""),
            Wild("b", "*-eu.example.com", http),
            Wild("c", "*.a-eu.example.com", http));

        mesh.Config.Resolve("default", authority)!.Value.Host.ShouldBe(host);
    }
}
