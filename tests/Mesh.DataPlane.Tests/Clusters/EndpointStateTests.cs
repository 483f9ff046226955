using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Clusters;

public class EndpointStateTests
{
    [Fact]
    public void A_retired_endpoint_refuses_new_requests_and_closes_its_pool_after_the_last()
    {
        var transport = new CountingTransport();
        var state = new EndpointState(() => transport);
        state.TryAcquire().ShouldBeTrue();
        state.TryAcquire().ShouldBeTrue();
        _ = state.Transport;

        state.Retire();
        state.TryAcquire().ShouldBeFalse();
        state.ActiveRequests.ShouldBe(2);
        transport.Disposed.ShouldBe(0);

        state.Release();
        transport.Disposed.ShouldBe(0);
        state.Release();
        transport.Disposed.ShouldBe(1);

        state.TryAcquire().ShouldBeFalse();
        transport.Disposed.ShouldBe(1);
    }

    [Fact]
    public void An_idle_endpoint_closes_its_pool_when_it_is_retired()
    {
        var transport = new CountingTransport();
        var state = new EndpointState(() => transport);
        state.TryAcquire();
        _ = state.Transport;
        state.Release();

        state.Retire();
        transport.Disposed.ShouldBe(1);
    }

    [Fact]
    public async Task Requests_that_race_with_retiring_never_use_a_closed_pool()
    {
        for (var round = 0; round < 200; round++)
        {
            var transport = new CountingTransport();
            var state = new EndpointState(() => transport);
            var users = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                for (var i = 0; i < 50 && state.TryAcquire(); i++)
                {
                    ((CountingTransport)state.Transport).Disposed.ShouldBe(0);
                    state.Release();
                }
            }));
            var retiring = Task.Run(state.Retire);
            await Task.WhenAll([.. users, retiring]);
            state.ActiveRequests.ShouldBe(0);
            transport.Disposed.ShouldBeLessThanOrEqualTo(1);
        }
    }

    private sealed class CountingTransport : IEndpointTransport
    {
        private int _disposed;

        public int Disposed => Volatile.Read(ref _disposed);

        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Dispose() => Interlocked.Increment(ref _disposed);
    }
}
