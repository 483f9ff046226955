using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf;
using Mesh.Xds.Validation;

namespace Mesh.Xds.Tests.Wire;

/// <summary>A field that a newer control plane sends must not vanish without a word.</summary>
public sealed class UnknownFieldsTests
{
    // Field 9999, varint 1.
    private static readonly byte[] Unknown = [0xF8, 0xF0, 0x04, 0x01];

    [Fact]
    public void A_message_of_known_fields_has_none()
    {
        var body = new RouteConfiguration { Name = "r", VirtualHosts = { new VirtualHost { Name = "a", Domains = { "*" } } } }.ToByteString();

        UnknownFields.Find(body, RouteConfiguration.Parser).ShouldBeEmpty();
    }

    [Fact]
    public void Unknown_fields_are_found_where_they_are()
    {
        var matcher = With(new HeaderMatcher { Name = "x" });
        var route = new Route { Match = new RouteMatch { Prefix = "/", Headers = { new HeaderMatcher { Name = "ok" }, matcher } } };
        var host = With(new VirtualHost { Name = "a", Domains = { "*" }, Routes = { route } });

        var found = UnknownFields.Find(new RouteConfiguration { Name = "r", VirtualHosts = { host } }.ToByteString(), RouteConfiguration.Parser);

        found.Select(location => (location.Path, location.Message.Name)).ShouldBe(
            [("virtual_hosts[0]", "VirtualHost"), ("virtual_hosts[0].routes[0].match.headers[1]", "HeaderMatcher")]);
    }

    [Fact]
    public void The_outermost_message_has_the_empty_path()
    {
        var found = UnknownFields.Find(With(new RouteConfiguration { Name = "r" }).ToByteString(), RouteConfiguration.Parser);

        found.ShouldHaveSingleItem().Path.ShouldBe("");
    }

    [Theory]
    [InlineData("p", 0)]
    [InlineData("a name so long that the entry of the map needs two bytes for its length, which is where counting by hand goes wrong easily, so it is here", 125)]
    public void Values_of_maps_are_looked_through(string key, int padding)
    {
        var policy = new Policy
        {
            Permissions = { With(new Permission { RequestedServerName = new Envoy.Type.Matcher.V3.StringMatcher { Exact = new string('x', padding) } }) },
            Principals = { new Principal { Any = true } },
        };

        var found = UnknownFields.Find(new RBAC { Policies = { [key] = policy } }.ToByteString(), RBAC.Parser);

        found.Select(location => location.Path).ShouldBe([$"policies[\"{key}\"].permissions[0]"]);
    }

    private static T With<T>(T message)
        where T : IMessage<T>
    {
        var copy = message.Clone();
        copy.MergeFrom(Unknown);
        return copy;
    }
}
