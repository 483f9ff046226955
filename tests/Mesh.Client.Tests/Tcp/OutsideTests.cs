using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Connections to hosts that are none of the mesh's.</summary>
public sealed class OutsideTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task This_machine_is_reached_past_the_mesh(string host)
    {
        await using var server = new LineServer("here");
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);

        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), host, server.Port);

        (await driver.AskAsync("NAME")).ShouldBe("here");
        mesh.Xds.Watched.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("mysql")]
    [InlineData("mysql.data.svc.cluster.local")]
    public async Task A_name_of_the_mesh_that_is_not_known_never_falls_through_to_DNS(string host)
    {
        await using var mesh = ClientMesh.Create();
        mesh.Xds.Remove(ListenerType.Instance, $"tcp://{host}:3306");

        var failure = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(host, 3306).AsTask().Within());
        failure.SocketErrorCode.ShouldBe(SocketError.HostNotFound);
        failure.Data[MeshRequest.ResponseFlags.Key].ShouldBe("NR");
    }

    [Fact]
    public async Task The_policy_refuses_by_name_and_says_the_way_out()
    {
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);
        mesh.Xds.Remove(ListenerType.Instance, "tcp://db.example.com:5432");

        var failure = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync("db.example.com", 5432).AsTask().Within());

        failure.Message.ShouldContain("db.example.com:5432");
        failure.Message.ShouldContain("ServiceEntry");
        mesh.Engine.Clusters.OutsideClusters.BlackHoleStats.OutsideRequests.Value.ShouldBe(1);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(OutboundTrafficMode.AllowAny)]
    public async Task Where_any_host_is_allowed_it_is_dialled_itself_and_counted(OutboundTrafficMode? mode)
    {
        // An address of this machine that is no loopback's: to the mesh it is as foreign as any.
        await using var server = new LineServer("outside", address: IPAddress.Any);
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = mode);
        var address = OwnAddress.Address.ToString();
        OwnAddress.Address.ShouldNotBe(IPAddress.Loopback, "the test needs a machine with a network");
        mesh.Xds.Remove(ListenerType.Instance, $"tcp://{address}:{server.Port}");

        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), address, server.Port);

        (await driver.AskAsync("NAME")).ShouldBe("outside");
        var stats = mesh.Engine.Clusters.OutsideClusters.PassthroughStats;
        stats.OutsideRequests.Value.ShouldBe(1);
        stats.ActiveConnections.Value.ShouldBe(1);
        stats.BytesReceived.Value.ShouldBe("outside\n".Length);
        await driver.DisposeAsync();
        stats.ActiveConnections.Value.ShouldBe(0);
    }

    [Fact]
    public async Task A_cluster_that_the_policy_names_takes_what_leaves_the_mesh()
    {
        await using var server = new LineServer("egress proxy");
        await using var mesh = ClientMesh.Create().SetCluster("egress").SetEndpoints("egress", server.Port);
        var listener = Fixture.Listener(OutboundPolicy.ListenerName, "outside");
        mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes("outside", Fixture.Prefix("/", "egress")));
        mesh.Xds.Set(ListenerType.Instance, listener);
        mesh.Xds.Remove(ListenerType.Instance, "tcp://db.example.com:5432");

        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), "db.example.com", 5432);

        (await driver.AskAsync("NAME")).ShouldBe("egress proxy");
    }

    [Fact]
    public async Task An_address_of_a_service_goes_by_its_rules_and_another_one_by_the_policy()
    {
        await using var server = new LineServer("by address");
        await using var mesh = ClientMesh.Create(options: o => o.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);
        mesh.SetCluster("mysql").SetEndpoints("mysql", server.Port).Listen("tcp://10.9.0.7:3306", null, TcpRules.Chain(TcpRules.To("mysql"), new() { PrefixRanges = { new Envoy.Config.Core.V3.CidrRange { AddressPrefix = "10.9.0.0", PrefixLen = 16 } } }));
        mesh.Xds.Remove(ListenerType.Instance, "tcp://[fd00::7]:3306");

        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), "10.9.0.7");
        (await driver.AskAsync("NAME")).ShouldBe("by address");
        (await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync("fd00::7", 3306).AsTask().Within())).Message.ShouldContain("[fd00::7]:3306");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData("http://mysql")]
    [InlineData("mysql:3306")]
    public async Task What_is_no_host_is_an_argument_error(string host)
    {
        await using var mesh = ClientMesh.Create();

        await Should.ThrowAsync<ArgumentException>(mesh.Connector().ConnectAsync(host, 3306).AsTask());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_536)]
    public async Task So_is_what_is_no_port(int port)
    {
        await using var mesh = ClientMesh.Create();

        await Should.ThrowAsync<ArgumentOutOfRangeException>(mesh.Connector().ConnectAsync(IPAddress.Loopback.ToString(), port).AsTask());
    }
}
