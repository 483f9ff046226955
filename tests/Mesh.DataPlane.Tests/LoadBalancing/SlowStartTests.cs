using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Tests.Clusters;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.LoadBalancing;

public class SlowStartTests
{
    // max(minimum, (age / window) ^ (1 / aggression)), from Envoy's documentation of slow start.
    [Theory]
    [InlineData(0, 1.0, 0.1, 0.1)]
    [InlineData(6, 1.0, 0.1, 0.1)]
    [InlineData(30, 1.0, 0.1, 0.5)]
    [InlineData(45, 1.0, 0.1, 0.75)]
    [InlineData(15, 2.0, 0.1, 0.5)]
    [InlineData(30, 0.5, 0.1, 0.25)]
    [InlineData(30, 1.0, 0.7, 0.7)]
    [InlineData(60, 1.0, 0.1, 1.0)]
    [InlineData(600, 3.0, 0.1, 1.0)]
    public void The_weight_grows_as_Envoy_computes_it(int seconds, double aggression, double minimum, double expected)
        => new SlowStart(TimeSpan.FromSeconds(60), aggression, minimum).Factor(TimeSpan.FromSeconds(seconds)).ShouldBe(expected, 1e-9);

    [Fact]
    public void A_new_host_grows_into_round_robin()
    {
        var time = new ManualTimeProvider();
        Endpoint[] hosts = [Host(1, time), Host(2, time)];
        time.Advance(TimeSpan.FromMinutes(10));
        hosts = [.. hosts, Host(3, time)];

        var picker = new RoundRobin { SlowStart = new SlowStart(TimeSpan.FromSeconds(100)) }.CreatePicker(hosts, new HostGroupState(uint.MaxValue, time));
        Share().ShouldBe(10.0 / 210, 0.001);

        time.Advance(TimeSpan.FromSeconds(50));
        picker.Reweigh(time.GetTimestamp()).ShouldBe(TimeSpan.FromSeconds(1));
        Share().ShouldBe(50.0 / 250, 0.001);

        time.Advance(TimeSpan.FromSeconds(50));
        picker.Reweigh(time.GetTimestamp()).ShouldBeNull();
        Share().ShouldBe(1.0 / 3, 0.001);

        double Share() => Enumerable.Range(0, 21_000).Count(_ => picker.Pick(new PickContext(0)) == hosts[2]) / 21_000.0;
    }

    [Fact]
    public void A_new_host_grows_into_least_request()
    {
        var time = new ManualTimeProvider();
        Endpoint[] hosts = [Host(1, time)];
        time.Advance(TimeSpan.FromMinutes(10));
        hosts = [.. hosts, Host(2, time)];
        var picker = new LeastRequest { SlowStart = new SlowStart(TimeSpan.FromSeconds(100), MinimumWeight: 0.25) }.CreatePicker(hosts, new HostGroupState(0, time));
        var random = new SequenceRandomSource(1000);
        Enumerable.Range(0, 1000).Count(_ => picker.Pick(new PickContext(random.NextUInt64())) == hosts[1]).ShouldBe(200);
    }

    [Fact]
    public void A_cluster_whose_hosts_are_all_new_spreads_evenly()
    {
        var time = new ManualTimeProvider();
        Endpoint[] hosts = [Host(1, time), Host(2, time), Host(3, time)];
        var picker = new RoundRobin { SlowStart = new SlowStart(TimeSpan.FromSeconds(100)) }.CreatePicker(hosts, new HostGroupState(uint.MaxValue, time));
        Enumerable.Range(0, 6).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(0)))).ShouldBe([0, 1, 2, 0, 1, 2]);
    }

    [Fact]
    public void A_host_that_was_unhealthy_starts_again()
    {
        var time = new ManualTimeProvider();
        var host = Host(1, time);
        time.Advance(TimeSpan.FromSeconds(30));
        host.State.Observe(isHealthy: true, time.GetTimestamp());
        host.State.HealthySince.ShouldBe(0);
        host.State.Observe(isHealthy: false, time.GetTimestamp());
        host.State.HealthySince.ShouldBeNull();
        host.State.Observe(isHealthy: true, time.GetTimestamp());
        host.State.HealthySince.ShouldBe(TimeSpan.FromSeconds(30).Ticks);
    }

    private static Endpoint Host(int port, TimeProvider time)
    {
        var state = new EndpointState(() => throw new InvalidOperationException());
        state.Observe(isHealthy: true, time.GetTimestamp());
        return new Endpoint(EndpointSetTests.Endpoint(port), "", 0, state);
    }
}
