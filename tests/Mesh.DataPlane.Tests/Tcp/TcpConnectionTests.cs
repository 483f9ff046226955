using System.Net;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Tests.Tcp;

public class TcpConnectionTests
{
    [Fact]
    public void Its_place_is_free_when_its_end_can_be_heard_of()
    {
        var stats = new ClusterStats();
        var breaker = new CircuitBreaker(RoutingPriority.Default, stats);
        var host = new EndpointState(() => throw new NotSupportedException());
        host.TryAcquire().ShouldBeTrue();
        breaker.TryConnect(host).ShouldBeTrue();
        uint? taken = null;
        var connection = new TcpConnection(
            new Ending(() => taken = breaker.ActiveConnections), "a connection", new IPEndPoint(IPAddress.Loopback, 1), host, stats, breaker, null, TimeProvider.System, Timeout.InfiniteTimeSpan);
        connection.Open(Timeout.InfiniteTimeSpan);

        connection.Close(TcpCloseReason.Idle);

        taken.ShouldBe(0u);
        breaker.ActiveConnections.ShouldBe(0u);
    }

    private sealed class Ending(Action onEnd) : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
            onEnd();
            base.Dispose(disposing);
        }
    }
}
