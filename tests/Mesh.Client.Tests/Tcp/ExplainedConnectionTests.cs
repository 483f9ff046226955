using Envoy.Config.Listener.V3;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Hosts;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Why would my connection go there?</summary>
public sealed class ExplainedConnectionTests
{
    private const ulong Last = ulong.MaxValue;

    [Fact]
    public async Task The_draw_decides_on_the_cluster_and_every_endpoint_is_told()
    {
        await using var mesh = ClientMesh.Create()
            .SetCluster("one").SetEndpoints("one", 1001)
            .SetCluster("two").SetEndpoints("two", 1002, 1003)
            .Listen(TcpRules.Chain(TcpRules.Split(("one", 80), ("two", 20)), name: "split"));
        await FollowAsync(mesh);

        var first = Explain(mesh, draw: 0);
        first.Verdict.ShouldBe("to 127.0.0.1:1001 of one");
        first.Lines[1].ShouldBe("filter chain split");
        first.Lines[2].ShouldBe("weighted clusters (one 80, two 20): the draw 0000000000000000 chose one");
        first.Clusters.ShouldBe([new WeightDump("one", 80), new WeightDump("two", 20)]);
        first.Candidates.ShouldHaveSingleItem().IsPicked.ShouldBeTrue();

        var last = Explain(mesh, draw: Last);
        last.Cluster.ShouldBe("two");
        last.Candidates.Count.ShouldBe(2);
        last.Endpoint.ShouldBeOneOf("127.0.0.1:1002", "127.0.0.1:1003");
        Explain(mesh, draw: Last).Endpoint.ShouldBe(last.Endpoint);
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task The_answer_is_that_of_the_connection_that_is_made()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");

        Explain(mesh, draw: 7).Endpoint.ShouldBe($"127.0.0.1:{server.Port}");
        mesh.Connections().ShouldBe(1);
    }

    [Fact]
    public async Task The_server_name_chooses_the_chain()
    {
        await using var mesh = ClientMesh.Create()
            .SetCluster("secure").SetEndpoints("secure", 1001)
            .SetCluster("plain").SetEndpoints("plain", 1002)
            .Listen(
                TcpRules.Chain(TcpRules.To("secure"), new FilterChainMatch { TransportProtocol = "tls", ServerNames = { "db.example.com" } }, "by name"),
                TcpRules.Chain(TcpRules.To("plain"), new FilterChainMatch { TransportProtocol = "raw_buffer" }, "in clear"));
        await FollowAsync(mesh);

        var plain = Explain(mesh);
        plain.Cluster.ShouldBe("plain");
        plain.Lines.ShouldContain(line => line.Contains("first bytes decide", StringComparison.Ordinal));
        var named = Explain(mesh, serverName: "DB.example.com");
        named.Cluster.ShouldBe("secure");
        named.Lines.ShouldContain("filter chain by name, which is for TLS, server name db.example.com");
        Explain(mesh, serverName: "other.example.com").Verdict.ShouldBe("refused: no filter chain is for it");
    }

    [Fact]
    public async Task What_cannot_be_reached_says_why()
    {
        await using var mesh = ClientMesh.Create().SetCluster("mysql").SetEndpoints("mysql").Listen(TcpRules.Chain(TcpRules.To("mysql")));
        await FollowAsync(mesh);

        Explain(mesh).Verdict.ShouldBe("there is no connection: no endpoint of mysql is healthy");
        var unknown = new ConnectionExplainer(mesh.Engine, TimeProvider.System).Explain(new SupposedConnection("nobody", 1));
        unknown.Verdict.ShouldBe("not known yet");
        unknown.Lines[0].ShouldContain("has not asked for the host yet");
        mesh.Engine.Hosts.Peek(new HostKey("nobody", 1, IsTcp: true)).ShouldBeNull();
    }

    [Theory]
    [InlineData("tcp://mysql:3306", "mysql", 3306)]
    [InlineData("TCP://10.0.0.1:3306", "10.0.0.1", 3306)]
    [InlineData("tcp://[::1]:3306", "::1", 3306)]
    public void A_connection_is_to_a_host_and_a_port(string text, string host, int port)
        => SupposedConnection.Parse(text).ShouldBe(new SupposedConnection(host, port));

    [Theory]
    [InlineData("tcp://mysql")]
    [InlineData("tcp://")]
    [InlineData("tcp://::1")]
    [InlineData("tcp://a b:1")]
    [InlineData("tcp://mysql:99999")]
    [InlineData("tcp://<script>:1")]
    public void What_is_no_host_and_port_is_refused(string text) => Should.Throw<FormatException>(() => SupposedConnection.Parse(text));

    private static Explanation Explain(ClientMesh mesh, ulong draw = 0, string? serverName = null)
        => new ConnectionExplainer(mesh.Engine, TimeProvider.System).Explain(new SupposedConnection(TcpRules.Host, 3306) { ServerName = serverName, Draw = draw });

    private static async Task FollowAsync(ClientMesh mesh)
        => (await mesh.Engine.Hosts.ResolveAsync(new HostKey(TcpRules.Host, 3306, IsTcp: true), CancellationToken.None)).ShouldNotBeNull().State.Status.ShouldBe(HostStatus.Meshed);
}
