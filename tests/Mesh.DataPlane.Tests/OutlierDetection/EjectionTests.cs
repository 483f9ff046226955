using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.OutlierDetection;

public class EjectionTests
{
    // 100 × 1 / 3 > 10.
    [Fact]
    public void Three_hosts_with_defaults_eject_nobody()
    {
        using var cluster = new OutlierCluster(3);
        cluster.Respond(1, 500, 100);
        cluster.Picked.ShouldBe([1, 2, 3]);
        cluster.Detector.Statistics.Overflow.ShouldBe(20);
    }

    [Theory]
    [InlineData(9, 10u, false, 0)]
    [InlineData(10, 10u, false, 1)]
    [InlineData(19, 10u, false, 1)]
    [InlineData(20, 10u, false, 2)]
    [InlineData(3, 34u, false, 1)]
    [InlineData(3, 33u, false, 0)]
    [InlineData(3, 0u, true, 1)]
    [InlineData(20, 10u, true, 2)]
    [InlineData(3, 100u, false, 3)]
    public void At_most_the_percentage_is_ejected(int hosts, uint percent, bool alwaysOne, int ejected)
    {
        using var cluster = new OutlierCluster(hosts, d => (d.MaxEjectionPercent, d.AlwaysEjectOneHost) = (percent, alwaysOne));
        for (var port = 1; port <= hosts; port++)
        {
            cluster.Respond(port, 500, 5);
        }

        cluster.Ejected.Length.ShouldBe(ejected);
        cluster.Detector.EjectedHosts.ShouldBe(ejected);
    }

    // The Bookinfo rule: consecutive5xxErrors 1, interval 1s, baseEjectionTime 3m, maxEjectionPercent 100.
    [Fact]
    public void What_Istio_generates_ejects_with_three_hosts()
    {
        using var cluster = new OutlierCluster(3, d =>
        {
            (d.Consecutive5Xx, d.EnforcingConsecutive5Xx, d.EnforcingSuccessRate, d.MaxEjectionPercent) = (1, 100, 0, 100);
            (d.Interval, d.BaseEjectionTime) = (OutlierCluster.Seconds(1), OutlierCluster.Seconds(180));
        });
        cluster.Respond(2, 503);
        cluster.Picked.ShouldBe([1, 3]);
        cluster.Advance(179.9);
        cluster.Picked.ShouldBe([1, 3]);
        cluster.Advance(1.1);
        cluster.Picked.ShouldBe([1, 2, 3]);
    }

    [Fact]
    public void A_host_comes_back_at_the_first_interval_after_its_time()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Advance(5);
        cluster.Respond(1, 500, 5);
        cluster.Advance(30);
        cluster.Ejected.ShouldBe([1], "35 s: its 30 s are over, the next interval is at 40 s");
        cluster.Advance(5);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void Each_consecutive_ejection_lasts_longer_up_to_the_maximum()
    {
        using var cluster = new OutlierCluster(3, d =>
        {
            (d.MaxEjectionPercent, d.Interval) = (100, OutlierCluster.Seconds(10));
            (d.BaseEjectionTime, d.MaxEjectionTime) = (OutlierCluster.Seconds(30), OutlierCluster.Seconds(75));
        });
        foreach (var seconds in new[] { 30, 60, 75, 75, 75 })
        {
            cluster.Respond(1, 500, 5);
            cluster.Host(1).LastEjection!.Duration.ShouldBe(TimeSpan.FromSeconds(seconds));
            var rounded = (seconds + 9) / 10 * 10;
            cluster.Advance(rounded - 0.001);
            cluster.Ejected.ShouldBe([1]);
            cluster.Advance(0.001);
            cluster.Ejected.ShouldBeEmpty();
        }

        cluster.Host(1).Ejections.ShouldBe(5u);
        cluster.Host(1).Ejecting.Multiplier.ShouldBe(4u, "30 × 3 < 75 + 30, 30 × 4 is not: it grows no further");
    }

    [Fact]
    public void Every_interval_in_health_shortens_the_next_ejection_by_one_step()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Respond(1, 500, 5);
        cluster.Advance(30);
        cluster.Respond(1, 500, 5);
        cluster.Advance(60);
        cluster.Ejected.ShouldBeEmpty();
        cluster.Host(1).Ejecting.Multiplier.ShouldBe(2u, "the interval at which it comes back is none in health");

        cluster.Advance(10);
        cluster.Host(1).Ejecting.Multiplier.ShouldBe(1u);
        cluster.Respond(1, 500, 5);
        cluster.Host(1).LastEjection!.Duration.ShouldBe(TimeSpan.FromSeconds(60));
        cluster.Advance(60 + 50);
        cluster.Host(1).Ejecting.Multiplier.ShouldBe(0u);
        cluster.Respond(1, 500, 5);
        cluster.Host(1).LastEjection!.Duration.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Jitter_is_added_by_chance_even_to_the_maximum()
    {
        // Four even draws, of which each ejection takes one for its jitter: an eighth, three, five, seven of 0 … 4000 ms in the source's order.
        using var cluster = new OutlierCluster(
            4,
            d =>
            {
                (d.MaxEjectionPercent, d.Interval, d.MaxEjectionTimeJitter) = (100, OutlierCluster.Seconds(0.5), OutlierCluster.Seconds(4));
                (d.BaseEjectionTime, d.MaxEjectionTime) = (OutlierCluster.Seconds(10), OutlierCluster.Seconds(10));
            },
            random: new Mesh.Testing.EvenRandomSource(4));
        for (var port = 1; port <= 4; port++)
        {
            cluster.Respond(port, 500, 5);
        }

        var durations = Enumerable.Range(1, 4).Select(p => cluster.Host(p).LastEjection!.Duration.TotalMilliseconds).Order();
        durations.ShouldBe([10_500, 11_500, 12_500, 13_500]);
        cluster.Advance(10.5);
        cluster.Ejected.Length.ShouldBe(3);
        cluster.Advance(3);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void A_host_that_comes_back_is_not_ejected_for_what_it_did_before()
    {
        using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.ConsecutiveGatewayFailure, d.EnforcingConsecutiveGatewayFailure) = (100, 8, 100));
        cluster.Respond(1, 503, 7);
        cluster.Ejected.ShouldBe([1]);
        cluster.Advance(30);
        cluster.Respond(1, 503, 4);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void Ejection_survives_new_endpoints_and_other_connection_settings()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Respond(1, 500, 5);
        cluster.Respond(2, 500, 4);
        cluster.SetHosts(1, 2, 4);
        cluster.Picked.ShouldBe([2, 4]);

        cluster.SetCluster(d => d.MaxEjectionPercent = 100, c => c.ConnectTimeout = OutlierCluster.Seconds(1));
        cluster.Picked.ShouldBe([2, 4]);
        cluster.Respond(2, 500);
        cluster.Picked.ShouldBe([4]);
        cluster.Advance(30);
        cluster.Picked.ShouldBe([1, 2, 4]);
    }

    [Fact]
    public void A_host_that_leaves_while_ejected_makes_room_for_another_and_returns_without_a_past()
    {
        using var cluster = new OutlierCluster(2, d => d.MaxEjectionPercent = 50);
        cluster.Respond(1, 500, 5);
        cluster.SetHosts(2, 3);
        cluster.Detector.EjectedHosts.ShouldBe(0);
        cluster.Respond(2, 500, 5);
        cluster.Picked.ShouldBe([3]);
        cluster.SetHosts(1, 2, 3);
        cluster.Picked.ShouldBe([1, 3]);
        cluster.Host(1).Ejections.ShouldBe(0u);
    }

    [Fact]
    public void Without_outlier_detection_any_more_nobody_stays_ejected()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        cluster.Respond(1, 500, 5);
        cluster.SetCluster(null, c => c.OutlierDetection = null);
        cluster.Picked.ShouldBe([1, 2, 3]);
        cluster.State(1).Monitor.ShouldBeNull();
        cluster.Time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public void The_last_reference_stops_the_clock()
    {
        var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        var monitor = cluster.Monitor(1);
        cluster.Time.ActiveTimers.ShouldBe(1);
        cluster.Dispose();
        cluster.Time.ActiveTimers.ShouldBe(0);
        monitor.OnResponse(500);
    }

    [Fact]
    public void An_interval_that_is_over_before_its_beginning_has_gone_on_is_followed_by_the_next()
    {
        var time = new ManualTimeProvider();
        var policy = new OutlierDetectionPolicy { Interval = TimeSpan.FromMilliseconds(1) };
        using var detector = new OutlierDetector(policy, new HastyTime(time, policy.Interval), new SequenceRandomSource(1), new HostEvents(NullLogger.Instance, "c"), () => { });

        detector.Start();

        time.ActiveTimers.ShouldBe(1);
        time.Advance(policy.Interval);
        time.ActiveTimers.ShouldBe(1);
    }

    [Fact]
    public void With_everybody_ejected_a_panic_threshold_uses_everybody_and_none_uses_nobody()
    {
        using var calm = new OutlierCluster(2, d => d.MaxEjectionPercent = 100);
        using var panicking = new OutlierCluster(2, d => d.MaxEjectionPercent = 100, c => c.CommonLbConfig.HealthyPanicThreshold.Value = 50);
        foreach (var cluster in new[] { calm, panicking })
        {
            cluster.Respond(1, 500, 5);
            cluster.Respond(2, 500, 5);
        }

        calm.Picked.ShouldBeEmpty();
        panicking.Picked.ShouldBe([1, 2]);
    }

    [Fact]
    public void Ejection_moves_load_to_the_next_priority()
    {
        using var cluster = new OutlierCluster(1, d => d.MaxEjectionPercent = 100);
        var endpoints = Resources.Endpoints("c", 1, 2);
        endpoints.Endpoints.Add(new Envoy.Config.Endpoint.V3.LocalityLbEndpoints { Priority = 1, LbEndpoints = { Resources.Endpoint("127.0.0.1", 3) } });
        cluster.SetHosts(endpoints);
        cluster.Picked.ShouldBe([1, 2]);

        // Half of the level healthy, × 1.4: 70 % stay.
        cluster.Respond(1, 500, 5);
        cluster.Endpoints.Shares.Select(s => (s.Choice.Priority, s.Percent)).ShouldBe([(0u, 70u), (1u, 30u)]);
    }

    [Fact]
    public void A_degraded_host_is_used_when_the_others_do_not_suffice_and_recovers()
    {
        using var cluster = new OutlierCluster(2, d => d.DetectDegradedHosts = true);
        using var response = new HttpResponseMessage(HttpStatusCode.OK) { Headers = { { "x-envoy-degraded", "" } } };
        cluster.Monitor(1).OnResponse(response, isGrpc: false);
        cluster.Endpoints.Endpoints.Select(e => e.Health).ShouldBe([EndpointHealth.Degraded, EndpointHealth.Healthy]);
        cluster.Endpoints.Endpoints[0].Status.ShouldBe(HostStatuses.Degraded);
        cluster.Endpoints.Shares.Select(s => (s.Choice.Kind, s.Percent)).ShouldBe([("healthy", 70u), ("degraded", 30u)]);

        cluster.Advance(30);
        cluster.Endpoints.Endpoints.ShouldAllBe(e => e.Health == EndpointHealth.Healthy);
        cluster.Monitor(1).OnResponse(response, isGrpc: false);
        cluster.Advance(59);
        cluster.Endpoints.Endpoints[0].Health.ShouldBe(EndpointHealth.Degraded);
        cluster.Advance(1);
        cluster.Endpoints.Endpoints[0].Health.ShouldBe(EndpointHealth.Healthy);
    }

    [Fact]
    public void Ejecting_leaves_the_connections()
    {
        using var cluster = new OutlierCluster(3, d => d.MaxEjectionPercent = 100);
        var state = cluster.State(1);
        state.TryAcquire().ShouldBeTrue();
        cluster.Respond(1, 500, 5);
        cluster.State(1).ShouldBeSameAs(state);
        state.TryAcquire().ShouldBeTrue();
        cluster.Advance(30);
        cluster.State(1).ShouldBeSameAs(state);
    }

    [Fact]
    public async Task A_run_counted_by_many_threads_ejects_once()
    {
        for (var round = 0; round < 50; round++)
        {
            using var cluster = new OutlierCluster(3, d => (d.MaxEjectionPercent, d.Consecutive5Xx) = (100, 100));
            var monitor = cluster.Monitor(1);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                for (var i = 0; i < 25; i++)
                {
                    monitor.OnResponse(500);
                }
            })));
            cluster.Ejected.ShouldBe([1]);
            cluster.Host(1).Ejections.ShouldBe(1u);
        }
    }

    [Fact]
    public void A_success_costs_no_allocation()
    {
        using var cluster = new OutlierCluster(3);
        using var response = new HttpResponseMessage();
        var monitor = cluster.Monitor(1);
        Allocations.Of(_ => monitor.OnResponse(response, isGrpc: false)).ShouldBe(0);
    }
}
