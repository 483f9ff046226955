using System.Net.Security;
using System.Net.Sockets;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Testing;

namespace Mesh.Client.Tests.Tcp;

/// <summary>Connections whose chain depends on what the caller sends first.</summary>
public sealed class InspectionTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly LineServer _server = new("plain");
    private ClientMesh _mesh = null!;

    public Task InitializeAsync()
    {
        _mesh = ClientMesh.Create(time: _time).SetCluster("plain").SetEndpoints("plain", _server.Port).SetCluster("nowhere").SetEndpoints("nowhere");
        Listen(_ => { });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_is_no_TLS_goes_on_when_that_is_plain()
    {
        await using var driver = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);
        _server.Accepted.ShouldBe(0, "nobody knows yet where to");
        ((MeshStream)driver.Stream).RemoteEndPoint.ShouldBeNull();

        var reading = driver.ReadLineAsync();
        reading.IsCompleted.ShouldBeFalse();
        await driver.SendAsync("NAME");

        (await reading).ShouldBe("plain");
        (await driver.AskAsync("ECHO on")).ShouldBe("on");
        ((MeshStream)driver.Stream).RemoteEndPoint.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_caller_that_has_nothing_to_say_is_connected_when_it_says_so()
    {
        await using var driver = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);

        await ((MeshStream)driver.Stream).CompleteWritesAsync().AsTask().Within();

        (await driver.ReadLineAsync()).ShouldBeNull();
        _server.Accepted.ShouldBe(1);
        _mesh.ShouldHoldNothing();
    }

    [Fact]
    public async Task Who_is_silent_too_long_is_closed()
    {
        Listen(l => l.ListenerFiltersTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)));
        await using var driver = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);
        var reading = driver.ReadLineAsync();

        _time.Advance(TimeSpan.FromSeconds(3));

        (await Should.ThrowAsync<IOException>(reading)).Message.ShouldContain("listener_filters_timeout");
        (await Should.ThrowAsync<IOException>(driver.SendAsync("NAME"))).Message.ShouldContain("listener_filters_timeout");
        _server.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task Or_goes_on_as_what_it_has_been_so_far_where_the_listener_says_so()
    {
        Listen(l =>
        {
            l.ListenerFiltersTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3));
            l.ContinueOnListenerFiltersTimeout = true;
        });
        await using var driver = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);
        await driver.Stream.WriteAsync(new byte[] { 22 });
        var reading = driver.ReadLineAsync();
        _server.Accepted.ShouldBe(0);

        _time.Advance(TimeSpan.FromSeconds(3));
        await driver.SendAsync("");

        (await reading).ShouldBe("?", "the service got the byte that was kept, too");
    }

    [Fact]
    public async Task TLS_to_a_name_without_a_living_host_fails_in_the_handshake_and_says_why()
    {
        await using var tls = new SslStream(await _mesh.Connector().ConnectAsync(TcpRules.Host, 3306));

        var failure = await Should.ThrowAsync<IOException>(tls.AuthenticateAsClientAsync("a.example.com").Within());

        failure.Message.ShouldContain("the cluster nowhere has no healthy upstream");
        failure.InnerException.ShouldBeOfType<SocketException>().Data[MeshRequest.ResponseFlags.Key].ShouldBe("UH");
    }

    [Fact]
    public async Task One_that_is_disposed_before_it_has_said_anything_was_never_made()
    {
        var driver = await LineDriver.ConnectAsync(_mesh.Connector(), TcpRules.Host);
        var reading = driver.Stream.ReadAsync(new byte[1]).AsTask();

        await driver.DisposeAsync();

        await Should.ThrowAsync<ObjectDisposedException>(reading.Within());
        await Should.ThrowAsync<ObjectDisposedException>(driver.SendAsync("NAME"));
        _server.Accepted.ShouldBe(0);
        _mesh.ShouldHoldNothing();
    }

    private void Listen(Action<Listener> configure) => _mesh.Listen(
        $"tcp://{TcpRules.Host}:3306",
        configure,
        TcpRules.Chain(TcpRules.To("nowhere"), new FilterChainMatch { ServerNames = { "*.example.com" } }),
        TcpRules.Chain(TcpRules.To("plain"), new FilterChainMatch { TransportProtocol = "raw_buffer" }));
}
