using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Transports;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Transports;

/// <summary>A host of several addresses is reached as long as one of them is there.</summary>
public sealed class ConnectionRaceTests : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly List<(IPEndPoint To, TaskCompletionSource<Socket> Connection, CancellationToken Token)> _begun = [];
    private readonly List<Socket> _sockets = [];
    private readonly SemaphoreSlim _begins = new(0);

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    [Fact]
    public async Task The_first_address_that_is_there_is_taken_and_no_other_is_tried()
    {
        var race = Start(3);
        await BegunAsync();
        var socket = Connect(0);

        (await race.WaitAsync(Hang)).ShouldBeSameAs(socket);
        _begun.Count.ShouldBe(1);
        _time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task One_that_fails_is_followed_by_the_next_at_once()
    {
        var race = Start(3);
        await BegunAsync();
        Fail(0, SocketError.ConnectionRefused);
        await BegunAsync();
        Fail(1, SocketError.HostUnreachable);
        await BegunAsync();
        var socket = Connect(2);

        (await race.WaitAsync(Hang)).ShouldBeSameAs(socket);
    }

    [Fact]
    public async Task One_that_takes_long_runs_on_beside_the_next_and_may_still_win()
    {
        var race = Start(3);
        _time.Advance(ConnectionRace.Stagger - TimeSpan.FromMilliseconds(1));
        _begun.Count.ShouldBe(1);
        await BegunAsync();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await BegunAsync();
        await _time.WaitForTimersAsync(1).WaitAsync(Hang);
        _time.Advance(ConnectionRace.Stagger);
        await BegunAsync();

        var socket = Connect(0);

        (await race.WaitAsync(Hang)).ShouldBeSameAs(socket);
        _begun[1].Token.IsCancellationRequested.ShouldBeTrue();
        _begun[2].Token.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task A_connection_that_comes_too_late_is_closed()
    {
        var race = Start(2);
        await BegunAsync();
        _time.Advance(ConnectionRace.Stagger);
        await BegunAsync();
        Connect(1);
        await race.WaitAsync(Hang);

        // On the way to it, the connection was given up; it came all the same.
        var late = Connect(0);

        // By whoever waits for it, on a thread of the pool.
        using var patience = new CancellationTokenSource(Hang);
        while (!late.SafeHandle.IsClosed)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task When_all_fail_the_first_failure_is_told()
    {
        var race = Start(2);
        await BegunAsync();
        Fail(0, SocketError.ConnectionRefused);
        await BegunAsync();
        Fail(1, SocketError.HostUnreachable);

        (await Should.ThrowAsync<SocketException>(() => race.WaitAsync(Hang))).SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
    }

    [Fact]
    public async Task Giving_up_gives_all_of_them_up()
    {
        using var giveUp = new CancellationTokenSource();
        var race = Start(2, giveUp.Token);
        await BegunAsync();
        _time.Advance(ConnectionRace.Stagger);
        await BegunAsync();

        await giveUp.CancelAsync();
        foreach (var (_, connection, token) in _begun)
        {
            token.IsCancellationRequested.ShouldBeTrue();
            connection.TrySetCanceled(token);
        }

        (await Record.ExceptionAsync(() => race.WaitAsync(Hang))).ShouldBeAssignableTo<OperationCanceledException>();
        _time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Real_addresses_are_gone_through_to_the_one_that_listens()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.0.0.77"), 0);
        listener.Start();
        var host = new LogicalHost("api.example.com", ((IPEndPoint)listener.LocalEndpoint).Port);
        host.MoveTo([.. Enumerable.Range(2, 75).Select(i => IPAddress.Parse($"127.0.0.{i}")), IPAddress.IPv6Loopback, IPAddress.Parse("127.0.0.77")]);
        host.Addresses.Take(3).Select(a => a.Address.ToString()).ShouldBe(["127.0.0.2", "::1", "127.0.0.3"]);
        var dialer = new EndpointDialer(host, new TransportSettings(UpstreamProtocol.Http11, Hang), new(), TimeProvider.System);

        await using var connection = await dialer.DialAsync(countsRequests: false, secure: null, default).AsTask().WaitAsync(Hang);

        listener.Pending().ShouldBeTrue();
        dialer.Stats.ConnectFailures.Value.ShouldBe(0);
    }

    private Task<Socket> Start(int addresses, CancellationToken cancellationToken = default)
        => ConnectionRace.RunAsync([.. Enumerable.Range(1, addresses).Select(i => new IPEndPoint(IPAddress.Parse($"10.0.0.{i}"), 80))], Begin, _time, cancellationToken).AsTask();

    private Task<Socket> Begin(IPEndPoint to, CancellationToken cancellationToken)
    {
        var connection = new TaskCompletionSource<Socket>();
        _begun.Add((to, connection, cancellationToken));
        _begins.Release();
        return connection.Task;
    }

    private Task BegunAsync() => _begins.WaitAsync().WaitAsync(Hang);

    private Socket Connect(int index)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        _begun[index].To.Address.ToString().ShouldBe($"10.0.0.{index + 1}");
        _begun[index].Connection.SetResult(socket);
        return socket;
    }

    private void Fail(int index, SocketError error) => _begun[index].Connection.SetException(new SocketException((int)error));
}
