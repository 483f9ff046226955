using System.Net;
using Google.Protobuf;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Tests.Tcp;

/// <summary>Which filter chain a connection takes: Envoy's order of conditions, the most specific first, and no way back.</summary>
public sealed class ChainSelectionTests
{
    private static readonly TcpChainMatch Any = new();

    [Fact]
    public void The_most_specific_destination_wins_and_a_name_has_that_of_its_listener()
    {
        var table = Table(null, ("all", Any), ("wide", To("10.0.0.0/8")), ("narrow", To("10.9.0.0/16", "fd00::/8")));

        Select(table, "10.9.0.1").ShouldBe("narrow");
        Select(table, "10.1.0.1").ShouldBe("wide");
        Select(table, "fd00::1").ShouldBe("narrow");
        Select(table, "::ffff:10.9.0.1").ShouldBe("narrow");
        Select(table, "192.0.2.9").ShouldBe("all");
        Select(table, "mysql").ShouldBe("all");
        Select(Table("10.9.0.7", ("all", Any), ("narrow", To("10.9.0.0/16"))), "mysql").ShouldBe("narrow");
    }

    [Fact]
    public void A_port_comes_before_everything_else_and_is_not_taken_back()
    {
        var table = Table(null, ("port", new TcpChainMatch { DestinationPort = 3306, Destinations = [IPNetwork.Parse("10.0.0.0/8")] }), ("address", To("192.0.2.0/24")));

        Select(table, "10.0.0.1").ShouldBe("port");
        Select(table, "192.0.2.1").ShouldBe("default", "the chain for the port was the only one left, and is not for this address");
        Select(table, "192.0.2.1", port: 3307).ShouldBe("address");
    }

    [Theory]
    [InlineData("a.example.com", "exact")]
    [InlineData("b.example.com", "suffix")]
    [InlineData("x.y.example.com", "suffix")]
    [InlineData("b.eu.example.com", "longer suffix")]
    [InlineData("example.com", "tls")]
    [InlineData("", "tls")]
    [InlineData(null, "rest")]
    public void The_server_name_exactly_then_by_its_longest_suffix(string? name, string chain)
        => Select(
            Table(
                null,
                ("suffix", Names(".example.com")),
                ("longer suffix", Names(".eu.example.com", "other")),
                ("exact", Names("a.example.com")),
                ("tls", new TcpChainMatch { TransportProtocol = "tls" }),
                ("rest", new TcpChainMatch { TransportProtocol = "raw_buffer" })),
            "site",
            name is null ? null : new ClientHello(name, [])).ShouldBe(chain);

    [Fact]
    public void The_protocol_that_the_caller_prefers_decides()
    {
        var table = Table(null, ("h2", new TcpChainMatch { ApplicationProtocols = ["h2"] }), ("mysql", new TcpChainMatch { ApplicationProtocols = ["mysql", "x"] }), ("none", Any));

        Select(table, "site", new ClientHello("", ["x", "h2"])).ShouldBe("mysql");
        Select(table, "site", new ClientHello("", ["y", "h2"])).ShouldBe("h2");
        Select(table, "site", new ClientHello("", ["y"])).ShouldBe("none");
        Select(table, "site").ShouldBe("none");
    }

    [Fact]
    public void The_source_is_this_process()
    {
        var own = new IPNetwork(OwnAddress.Address, OwnAddress.Address.GetAddressBytes().Length * 8);
        var table = Table(null, ("own", new TcpChainMatch { Sources = [own] }), ("other", new TcpChainMatch { Sources = [IPNetwork.Parse("203.0.113.0/24")] }));
        Select(table, "site").ShouldBe("own");

        var byType = Table(null, ("local", new TcpChainMatch { Source = TcpChainMatch.SourceType.SameAddressOrLoopback }), ("external", new TcpChainMatch { Source = TcpChainMatch.SourceType.External }));
        Select(byType, "127.0.0.1").ShouldBe("local");
        Select(byType, "203.0.113.1").ShouldBe("external");
    }

    [Fact]
    public void The_first_bytes_are_asked_for_only_where_a_chain_that_is_left_depends_on_them()
    {
        var table = Table(null, ("names", Names("a") with { DestinationPort = 443 }), ("rest", Any));

        table.DependsOnFirstBytes(new TcpFacts("site", 443)).ShouldBeTrue();
        table.DependsOnFirstBytes(new TcpFacts("site", 3306)).ShouldBeFalse();
        table.DependsOnFirstBytes(new TcpFacts("site", 443) { Tls = new ClientHello("a", []) }).ShouldBeFalse();
    }

    private static TcpChainMatch To(params string[] networks) => new() { Destinations = [.. networks.Select(n => IPNetwork.Parse(n))] };

    private static TcpChainMatch Names(params string[] names) => new() { ServerNames = names };

    private static string? Select(TcpTable table, string host, ClientHello? tls = null, int port = 3306)
        => table.Select(new TcpFacts(host, port) { Tls = tls })?.Resource.Name;

    private static TcpTable Table(string? address, params (string Name, TcpChainMatch Match)[] chains)
    {
        var compiled = chains.Select(c => Chain(c.Name, c.Match)).ToArray();
        var rest = Chain("default", Any);
        return new TcpTable(
            new TcpListenerResource([.. compiled.Select(c => c.Resource)], rest.Resource) { Address = address is null ? null : IPAddress.Parse(address) }, compiled, rest, "1");

        static TcpChain Chain(string name, TcpChainMatch match)
            => new(new TcpListenerResource.Chain(name, match, new TcpProxyPolicy("s", [new TcpProxyPolicy.Target("c", 1)]), ByteString.Empty), [], TimeProvider.System);
    }
}
