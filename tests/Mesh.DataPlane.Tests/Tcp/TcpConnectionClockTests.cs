using System.Net;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Tcp;

/// <summary>The clocks of an open connection.</summary>
public sealed class TcpConnectionClockTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void A_connection_whose_age_is_over_while_it_is_being_opened_closes_when_it_is_quiet()
    {
        var connection = Connection(Timeout.InfiniteTimeSpan, TimeSpan.Zero);
        connection.Open(Timeout.InfiniteTimeSpan, (_time.GetUtcNow() + TimeSpan.FromHours(1), TimeSpan.Zero));
        connection.ClosedBy.ShouldBe(TcpCloseReason.None, "it may be amid a question");

        _time.Advance(TimeSpan.FromSeconds(10));

        connection.ClosedBy.ShouldBe(TcpCloseReason.Aged);
    }

    [Fact]
    public void A_connection_on_which_something_moved_just_before_it_was_idle_for_too_long_is_looked_at_again()
    {
        TcpConnection? connection = null;

        // The first look comes before its setting is over, and finds a movement half a second ago.
        using var mover = _time.CreateTimer(_ => connection!.Sent(1), null, TimeSpan.FromSeconds(0.5), Timeout.InfiniteTimeSpan);
        connection = Connection(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        connection.Open(Timeout.InfiniteTimeSpan);
        connection.ClosedBy.ShouldBe(TcpCloseReason.None);

        _time.Advance(TimeSpan.FromSeconds(0.5));

        connection.ClosedBy.ShouldBe(TcpCloseReason.Idle);
    }

    private TcpConnection Connection(TimeSpan idleTimeout, TimeSpan soon)
    {
        var stats = new ClusterStats();
        var endpoint = new EndpointState(() => throw new InvalidOperationException());
        endpoint.TryAcquire().ShouldBeTrue();
        var breaker = new CircuitBreaker(RoutingPriority.Default, stats);
        breaker.TryConnect(endpoint).ShouldBeTrue();
        return new TcpConnection(Stream.Null, "db", new IPEndPoint(IPAddress.Loopback, 1), endpoint, stats, breaker, null, new HastyTime(_time, soon), idleTimeout);
    }
}
