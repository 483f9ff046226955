using System.Net;
using System.Net.Sockets;
using Mesh.Client.Bypass;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Drivers that make their connections themselves, to a port of this machine.</summary>
public sealed class LoopbackListenerTests : IAsyncLifetime
{
    // Nothing else takes as long.
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(7);

    private readonly LineServer _server = new("mysql-1");
    private readonly ManualTimeProvider _time = new();
    private ClientMesh _mesh = null!;

    private IMeshTcpListeners Listeners => _mesh.Services.GetRequiredService<IMeshTcpListeners>();

    public async Task InitializeAsync()
    {
        _mesh = ClientMesh.Create(options: o => o.Client.TcpListeners.Add(new() { Service = "mysql:3306", MaxConnections = 2, DrainTimeout = Drain }), time: _time).ServeTcp("mysql", _server.Port);
        await Service.StartAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await Service.StopAsync(new CancellationToken(canceled: true));
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
    }

    private IHostedService Service => _mesh.Services.GetServices<IHostedService>().Single(s => s.GetType().Name == "TcpListenerService");

    [Fact]
    public async Task A_driver_that_knows_nothing_of_the_mesh_reaches_the_service()
    {
        await using var driver = await DialAsync();

        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");

        Listeners.All.ShouldBe([new MeshTcpListener("mysql:3306", Listeners.EndPointOf("mysql:3306"))]);
        IPAddress.IsLoopback(Listeners.EndPointOf("MySQL:3306").Address).ShouldBeTrue();
        _mesh.Connections().ShouldBe(1);
    }

    [Fact]
    public async Task Neither_side_of_it_is_a_connection_beside_the_mesh()
    {
        var watcher = _mesh.Services.GetRequiredService<BypassWatcher>();
        await using var driver = await DialAsync();
        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
        await using var stream = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);

        watcher.Counts.Keys.Select(host => host.Port).ShouldNotContain(_server.Port);
        watcher.Counts.Keys.Select(host => host.Port).ShouldNotContain(Listeners.EndPointOf("mysql:3306").Port);
    }

    [Fact]
    public async Task Each_end_hears_when_the_other_has_no_more_to_say()
    {
        await using var driver = await DialAsync();
        await driver.SendAsync("GIVE 1048576");
        await driver.Stream.ReadExactlyAsync(new byte[1024 * 1024]).AsTask().Within();
        await driver.SendAsync("SUM");
        await driver.Stream.WriteAsync(new byte[1024 * 1024]).AsTask().Within();

        ((NetworkStream)driver.Stream).Socket.Shutdown(SocketShutdown.Send);

        (await driver.ReadLineAsync()).ShouldBe("1048576");
        (await driver.ReadLineAsync()).ShouldBeNull();
        (await Hang.Until(() => _mesh.Connections() == 0)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_reset_of_the_service_is_one_for_the_driver()
    {
        await using var driver = await DialAsync();

        await driver.SendAsync("DROP");

        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());
    }

    [Fact]
    public async Task A_reset_of_the_driver_is_one_for_the_service()
    {
        await using var driver = await DialAsync();
        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
        await driver.SendAsync("SUM");

        var socket = ((NetworkStream)driver.Stream).Socket;
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();

        // Had it taken what it got for all there is, it would have answered, and nobody would know.
        (await Hang.Until(() => _server.Open == 0 && _mesh.Connections() == 0)).ShouldBeTrue();
    }

    [Fact]
    public async Task When_there_is_no_connection_the_driver_sees_a_reset_and_the_log_why()
    {
        _mesh.SetEndpoints("mysql");

        var failure = await Should.ThrowAsync<Exception>(async () =>
        {
            await using var driver = await DialAsync();
            await driver.ReadLineAsync();
        });

        // It may come before the driver has begun to read.
        (failure.InnerException as SocketException ?? failure).ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
        _mesh.Logs.Lines.ShouldContain(line => line.Contains("the cluster mysql has no healthy upstream"));
    }

    [Fact]
    public async Task No_more_connections_are_accepted_than_there_may_be()
    {
        await using var one = await DialAsync();
        (await one.AskAsync("NAME")).ShouldBe("mysql-1");
        await using (var two = await DialAsync())
        {
            (await two.AskAsync("NAME")).ShouldBe("mysql-1");
            await using var three = await DialAsync();
            await three.SendAsync("NAME");
            (await one.AskAsync("ECHO still")).ShouldBe("still");
            _server.Accepted.ShouldBe(2);

            await two.DisposeAsync();
            (await three.ReadLineAsync()).ShouldBe("mysql-1");
        }
    }

    [Fact]
    public async Task At_the_stop_nobody_is_accepted_and_those_who_are_there_may_end()
    {
        await using var driver = await DialAsync();
        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");
        var address = Listeners.EndPointOf("mysql:3306");

        var stopping = Service.StopAsync(CancellationToken.None);
        (await driver.AskAsync("ECHO on")).ShouldBe("on");
        stopping.IsCompleted.ShouldBeFalse();
        await Should.ThrowAsync<SocketException>(async () => await DialAsync(address));
        await driver.DisposeAsync();

        await stopping.Within();
        Should.Throw<InvalidOperationException>(() => Listeners.EndPointOf("mysql:3306"));
    }

    [Fact]
    public async Task Those_who_stay_too_long_are_cut()
    {
        await using var driver = await DialAsync();
        (await driver.AskAsync("NAME")).ShouldBe("mysql-1");

        var stopping = Service.StopAsync(CancellationToken.None);
        await _time.WaitForTimerAsync(Drain).Within();
        _time.Advance(Drain);

        await stopping.Within();
        await Should.ThrowAsync<IOException>(driver.ReadLineAsync());
        _mesh.ShouldHoldNothing();
    }

    [Theory]
    [InlineData("mysql", "127.0.0.1:0", 1, "TcpListeners:0:Service is 'mysql'")]
    [InlineData("my sql:3306", "127.0.0.1:0", 1, "TcpListeners:0:Service is 'my sql:3306'")]
    [InlineData("mysql:3306", "0.0.0.0:13306", 1, "TcpListeners:0:Listen is '0.0.0.0:13306'")]
    [InlineData("mysql:3306", "127.0.0.1", 1, "TcpListeners:0:Listen is '127.0.0.1'")]
    [InlineData("mysql:3306", "localhost:13306", 1, "TcpListeners:0:Listen is 'localhost:13306'")]
    [InlineData("mysql:3306", "127.0.0.1:0", 0, "TcpListeners:0:MaxConnections is 0")]
    public async Task Settings_that_cannot_be_meant_are_refused_at_the_start(string service, string listen, int max, string message)
    {
        var application = new ClientMeshServices();
        application.Services.AddMeshClient(o => o.Client.TcpListeners.Add(new() { Service = service, Listen = listen, MaxConnections = max }));
        await using var services = application.Services.BuildServiceProvider();

        Should.Throw<OptionsValidationException>(() => services.GetRequiredService<IOptions<MeshOptions>>().Value).Message.ShouldContain(message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_the_way_out_and_leaves_nobody_listening()
    {
        await using var mesh = ClientMesh.Create(options: o =>
        {
            o.Client.TcpListeners.Add(new() { Service = "mysql:3306" });
            o.Client.TcpListeners.Add(new() { Service = "redis:6379", Listen = $"127.0.0.1:{_server.Port}" });
        });
        var service = mesh.Services.GetServices<IHostedService>().Single(s => s.GetType().Name == "TcpListenerService");

        var failure = await Should.ThrowAsync<IOException>(() => service.StartAsync(CancellationToken.None));

        failure.Message.ShouldContain($"Mesh:Client:TcpListeners:1:Listen is 127.0.0.1:{_server.Port}");
        mesh.Services.GetRequiredService<IMeshTcpListeners>().All.ShouldBeEmpty();
    }

    private Task<LineDriver> DialAsync() => DialAsync(Listeners.EndPointOf("mysql:3306"));

    private static async Task<LineDriver> DialAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        return new LineDriver(new NetworkStream(socket, ownsSocket: true));
    }
}
