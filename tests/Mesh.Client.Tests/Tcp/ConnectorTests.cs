using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.TestNet;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Connections by the engine to real services.</summary>
public sealed class ConnectorTests
{
    [Fact]
    public async Task A_driver_speaks_with_its_service_and_gives_everything_back()
    {
        await using var server = new LineServer("mysql-1");
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);

        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
            (await driver.AskAsync("ECHO x")).ShouldBe("x");
            mesh.Connections().ShouldBe(1);
            driver.Stream.ShouldBeAssignableTo<MeshStream>()!.RemoteEndPoint!.ToString().ShouldBe($"127.0.0.1:{server.Port}");
        }

        mesh.ShouldHoldNothing();
        var stats = mesh.Cluster("mysql").Stats;
        stats.Connections.Value.ShouldBe(1);
        stats.BytesSent.Value.ShouldBe("NAME\nECHO x\n".Length);
        stats.BytesReceived.Value.ShouldBe("mysql-1\nx\n".Length);
    }

    [Fact]
    public async Task Weights_are_exact_by_the_draws()
    {
        await using var one = new LineServer("one");
        await using var two = new LineServer("two");
        await using var mesh = ClientMesh.Create(s => s.AddSingleton<IRandomSource>(new SequenceRandomSource(100)))
            .SetCluster("one").SetEndpoints("one", one.Port)
            .SetCluster("two").SetEndpoints("two", two.Port)
            .Listen(TcpRules.Chain(TcpRules.Split(("one", 80), ("two", 20))));

        for (var i = 0; i < 100; i++)
        {
            await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
            (await driver.AskAsync("NAME")).ShouldBeOneOf("one", "two");
        }

        one.Accepted.ShouldBe(80);
        two.Accepted.ShouldBe(20);
    }

    [Fact]
    public async Task A_mebibyte_goes_through_each_way_and_the_end_of_one_way_is_not_that_of_the_other()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);
        await using (var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            await driver.SendAsync("GIVE 1048576");
            await driver.Stream.ReadExactlyAsync(new byte[1024 * 1024]).AsTask().Within();

            await driver.SendAsync("SUM");
            await driver.Stream.WriteAsync(new byte[1024 * 1024]).AsTask().Within();
            await ((MeshStream)driver.Stream).CompleteWritesAsync();
            (await driver.ReadLineAsync()).ShouldBe("1048576");
            mesh.Connections().ShouldBe(1);

            (await driver.ReadLineAsync()).ShouldBeNull();
            mesh.ShouldHoldNothing();
            (await driver.ReadLineAsync()).ShouldBeNull("it stays at its end");
            Should.Throw<InvalidOperationException>(() => driver.Stream.WriteByte(1));
        }

        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task A_reset_is_an_exception_and_frees_the_permit_before_the_driver_disposes()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create().ServeTcp("mysql", server.Port);
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);

        await driver.SendAsync("DROP");

        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task A_server_that_accepts_and_closes_is_the_end_of_the_stream_and_ejects_nobody()
    {
        await using var server = new LineServer(leavesAtOnce: true);
        await using var mesh = ClientMesh.Create();
        var cluster = Fixture.Cluster("mysql");
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection { Consecutive5Xx = 1, MaxEjectionPercent = 100 };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        mesh.SetEndpoints("mysql", server.Port).Listen(TcpRules.Chain(TcpRules.To("mysql")));

        for (var i = 0; i < 5; i++)
        {
            await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
            (await driver.ReadLineAsync()).ShouldBeNull();
        }

        mesh.Cluster("mysql").Current.Endpoints.Endpoints.Single().Health.ShouldBe(EndpointHealth.Healthy);
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task A_dead_endpoint_is_ejected_and_another_try_goes_to_the_living_one()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create();
        var cluster = Fixture.Cluster("mysql");
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection { Consecutive5Xx = 2, MaxEjectionPercent = 100 };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        var proxy = TcpRules.To("mysql");
        proxy.MaxConnectAttempts = 2;
        mesh.SetEndpoints("mysql", ClosedPort.Take(), server.Port).Listen(TcpRules.Chain(proxy));

        for (var i = 0; i < 20; i++)
        {
            await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
            (await driver.AskAsync("ECHO on")).ShouldBe("on");
        }

        mesh.Cluster("mysql").Current.Endpoints.Endpoints[0].Health.ShouldBe(EndpointHealth.Unhealthy);
        mesh.Cluster("mysql").Stats.ConnectFailures.Value.ShouldBe(2, "nobody dials who is ejected");
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task When_nobody_can_be_reached_the_exception_says_what_the_socket_would_and_why()
    {
        var port = ClosedPort.Take();
        await using var mesh = ClientMesh.Create();
        var proxy = TcpRules.To("mysql");
        proxy.MaxConnectAttempts = 3;
        mesh.SetCluster("mysql").SetEndpoints("mysql", port).Listen(TcpRules.Chain(proxy));

        var failure = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());

        failure.SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
        failure.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UF");
        failure.Message.ShouldBe($"The mesh cannot connect to mysql:3306: 127.0.0.1:{port} of the cluster mysql says: Connection refused (3 attempts).");
        mesh.Cluster("mysql").Stats.ConnectAttemptsExceeded.Value.ShouldBe(1);
        mesh.Cluster("mysql").Stats.ConnectFailures.Value.ShouldBe(3);
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task More_connections_than_there_may_be_are_refused()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create();
        var cluster = Fixture.Cluster("mysql");
        cluster.CircuitBreakers = new Envoy.Config.Cluster.V3.CircuitBreakers { Thresholds = { new Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds { MaxConnections = 2 } } };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        mesh.SetEndpoints("mysql", server.Port).Listen(TcpRules.Chain(TcpRules.To("mysql")));
        await using var one = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        await using (await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host))
        {
            var refused = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
            refused.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UO");
            refused.Message.ShouldContain("max_connections 2");
            mesh.Cluster("mysql").Stats.ConnectionOverflow.Value.ShouldBe(1);
        }

        await using var again = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        (await server.AcceptedAsync(3)).ShouldBe(3);
    }

    [Theory]
    [InlineData("idle", "idle_timeout")]
    [InlineData("duration", "max_downstream_connection_duration")]
    public async Task A_connection_ends_when_its_time_is_over(string which, string named)
    {
        var time = new ManualTimeProvider();
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create(time: time);
        var proxy = TcpRules.To("mysql");
        if (which == "idle")
        {
            proxy.IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
        }
        else
        {
            proxy.MaxDownstreamConnectionDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(16));
        }

        mesh.SetCluster("mysql").SetEndpoints("mysql", server.Port).Listen(TcpRules.Chain(proxy));
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        for (var i = 0; i < 2; i++)
        {
            time.Advance(TimeSpan.FromSeconds(7));
            (await driver.AskAsync("ECHO on")).ShouldBe("on");
        }

        var reading = driver.ReadLineAsync();
        time.Advance(TimeSpan.FromSeconds(10));

        (await Should.ThrowAsync<IOException>(reading)).Message.ShouldContain(named);
        (await Should.ThrowAsync<IOException>(driver.SendAsync("ECHO on"))).Message.ShouldContain(named);
        mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task Another_rule_is_for_new_connections_and_old_ones_end_when_they_have_drained()
    {
        var time = new ManualTimeProvider();
        await using var before = new LineServer("before");
        await using var after = new LineServer("after");
        await using var mesh = ClientMesh.Create(time: time)
            .SetCluster("after").SetEndpoints("after", after.Port)
            .ServeTcp("before", before.Port);
        await using var old = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);

        mesh.Listen(TcpRules.Chain(TcpRules.To("before")));
        mesh.Listen(TcpRules.Chain(TcpRules.To("after")));

        await using var young = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        (await young.AskAsync("NAME")).ShouldBe("after");
        time.Advance(TimeSpan.FromSeconds(44));
        (await old.AskAsync("NAME")).ShouldBe("before");
        var reading = old.ReadLineAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<IOException>(reading)).Message.ShouldContain("no longer in force");
        (await young.AskAsync("NAME")).ShouldBe("after");
        mesh.Connections().ShouldBe(1);
    }

    [Fact]
    public async Task An_update_that_leaves_a_chain_as_it_is_leaves_its_connections_alone()
    {
        var time = new ManualTimeProvider();
        await using var server = new LineServer("same");
        await using var mesh = ClientMesh.Create(time: time).SetCluster("other").SetEndpoints("other", server.Port).ServeTcp("mysql", server.Port);
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);

        mesh.Listen($"tcp://{TcpRules.Host}:3306", null, TcpRules.Chain(TcpRules.To("other"), new() { DestinationPort = 1 }), TcpRules.Chain(TcpRules.To("mysql")));
        time.Advance(TimeSpan.FromMinutes(10));

        (await driver.AskAsync("NAME")).ShouldBe("same");
    }

    [Fact]
    public async Task A_listener_that_is_gone_refuses_at_once_and_drains()
    {
        var time = new ManualTimeProvider();
        await using var server = new LineServer("same");
        await using var mesh = ClientMesh.Create(time: time).ServeTcp("mysql", server.Port);
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);

        mesh.Xds.Remove(ListenerType.Instance, $"tcp://{TcpRules.Host}:3306");

        var failure = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
        failure.SocketErrorCode.ShouldBe(SocketError.HostNotFound);
        failure.Data[MeshRequest.ResponseFlags.Key].ShouldBe("NR");
        (await driver.AskAsync("NAME")).ShouldBe("same");
        var reading = driver.ReadLineAsync();
        time.Advance(TimeSpan.FromSeconds(45));
        await Should.ThrowAsync<IOException>(reading);
        (await server.AcceptedAsync(1)).ShouldBe(1);
    }

    [Fact]
    public async Task A_host_that_turns_unhealthy_loses_its_connections_where_the_cluster_says_so()
    {
        await using var server = new LineServer();
        await using var mesh = ClientMesh.Create();
        var cluster = Fixture.Cluster("mysql");
        cluster.CloseConnectionsOnHostHealthFailure = true;
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection { Consecutive5Xx = 1, MaxEjectionPercent = 100 };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        mesh.SetEndpoints("mysql", server.Port).Listen(TcpRules.Chain(TcpRules.To("mysql")));
        await using var driver = await LineDriver.ConnectAsync(mesh.Connector(), TcpRules.Host);
        var reading = driver.ReadLineAsync();

        mesh.Cluster("mysql").Current.Endpoints.Endpoints.Single().State.Monitor!.OnResponse(500);

        (await Should.ThrowAsync<IOException>(reading)).Message.ShouldContain("unhealthy");
        mesh.Connections().ShouldBe(0);
    }

    [Fact]
    public async Task No_host_at_all_and_no_cluster_at_all_are_told_apart()
    {
        await using var mesh = ClientMesh.Create().SetCluster("mysql").SetEndpoints("mysql").Listen(TcpRules.Chain(TcpRules.To("mysql")));
        var empty = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
        empty.Data[MeshRequest.ResponseFlags.Key].ShouldBe("UH");
        mesh.Cluster("mysql").Stats.NoneHealthy.Value.ShouldBe(1);

        mesh.Xds.Remove(ClusterType.Instance, "mysql");
        var missing = await Should.ThrowAsync<SocketException>(mesh.Connector().ConnectAsync(TcpRules.Host, 3306).AsTask().Within());
        missing.Data[MeshRequest.ResponseFlags.Key].ShouldBe("NC");
    }
}
