using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.HealthChecking;

public class HealthCheckThresholdTests
{
    [Fact]
    public void A_cluster_is_there_when_each_host_has_been_checked_once()
    {
        using var cluster = new CheckedCluster();
        cluster.Answers[2] = -1;
        cluster.SetHosts(1, 2);
        cluster.Advance(0);
        cluster.Cluster.Current.Status.ShouldBe(ClusterStatus.Pending, "the second host has not answered");

        cluster.Advance(1);
        cluster.Cluster.Current.Status.ShouldBe(ClusterStatus.Ready);
        cluster.Healthy.ShouldBe([1]);
        cluster.Endpoints[1].State.Health.Has(HealthFlags.ActiveHealthCheckTimeout).ShouldBeTrue();
    }

    [Fact]
    public void A_check_that_is_over_before_its_beginning_has_gone_on_is_followed_by_the_next()
    {
        var time = new ManualTimeProvider();
        using var cluster = new CheckedCluster(time: new HastyTime(time, TimeSpan.Zero));
        cluster.SetHosts(1);
        cluster.Cluster.Current.Status.ShouldBe(ClusterStatus.Ready);
        cluster.Healthy.ShouldBe([1]);

        cluster.Answers[1] = 503;
        time.Advance(TimeSpan.FromSeconds(10));
        cluster.Healthy.ShouldBeEmpty();
    }

    [Fact]
    public void One_answer_of_ill_health_is_enough()
    {
        using var cluster = Started(1, 2);
        cluster.Answers[1] = 503;
        cluster.Advance(10);
        cluster.Healthy.ShouldBe([2]);
    }

    [Theory]
    [InlineData(0)] // broken connection
    [InlineData(-1)] // no answer in time
    public void Failures_of_the_network_count_towards_the_threshold(int answer)
    {
        using var cluster = Started(1, 2);
        cluster.Answers[1] = answer;
        cluster.Advance(11);
        cluster.Advance(11);
        cluster.Healthy.ShouldBe([1, 2]);
        cluster.Advance(11);
        cluster.Healthy.ShouldBe([2]);
    }

    [Fact]
    public void Retriable_statuses_count_towards_the_threshold()
    {
        using var cluster = Started(c => c.HttpHealthCheck.RetriableStatuses.Add(new Envoy.Type.V3.Int64Range { Start = 500, End = 504 }), null, 1);
        cluster.Answers[1] = 503;
        cluster.Advance(20);
        cluster.Healthy.ShouldBe([1]);
        cluster.Advance(10);
        cluster.Healthy.ShouldBeEmpty();
    }

    [Fact]
    public void A_pass_begins_the_run_anew()
    {
        using var cluster = Started(1);
        foreach (var answer in new[] { 0, 0, 200, 0, 0 })
        {
            cluster.Answers[1] = answer;
            cluster.Advance(10);
        }

        cluster.Healthy.ShouldBe([1]);
    }

    [Fact]
    public void An_unhealthy_host_needs_so_many_passes()
    {
        using var cluster = Started(1);
        cluster.Answers[1] = 500;
        cluster.Advance(10);
        cluster.Answers[1] = 200;
        cluster.Advance(10);
        cluster.Healthy.ShouldBeEmpty();
        cluster.Advance(10);
        cluster.Healthy.ShouldBe([1]);
    }

    [Fact]
    public void A_new_host_is_unhealthy_until_its_first_check_and_then_needs_one_pass()
    {
        using var cluster = Started(1);
        cluster.SetHosts(1, 2);
        cluster.Healthy.ShouldBe([1]);
        cluster.Endpoints[1].IsExcluded.ShouldBeFalse();
        cluster.Advance(0);
        cluster.Healthy.ShouldBe([1, 2]);
    }

    // One of two healthy: 70 %. With the new one left out of the sums: all.
    [Theory]
    [InlineData(false, 70u)]
    [InlineData(true, 100u)]
    public void New_hosts_may_be_left_out_of_the_sums_until_their_first_check(bool ignored, uint percent)
    {
        using var cluster = Started(null, c => c.CommonLbConfig.IgnoreNewHostsUntilFirstHc = ignored, 1);
        var endpoints = Resources.Endpoints("c", 1, 2);
        endpoints.Endpoints.Add(new Envoy.Config.Endpoint.V3.LocalityLbEndpoints { Priority = 1, LbEndpoints = { Resources.Endpoint("127.0.0.1", 3) } });
        var known = Resources.Endpoints("c", 1);
        known.Endpoints.Add(endpoints.Endpoints[1]);
        cluster.SetHosts(known);
        cluster.Advance(0);
        cluster.SetHosts(endpoints);
        cluster.Cluster.Current.Endpoints.Shares.First().Percent.ShouldBe(percent);
    }

    [Fact]
    public void A_host_that_calls_itself_degraded_is()
    {
        using var cluster = Started(1);
        cluster.AnsweredHeader = ("x-envoy-degraded", "");
        cluster.Advance(10);
        cluster.Endpoints[0].Health.ShouldBe(EndpointHealth.Degraded);
        cluster.AnsweredHeader = null;
        cluster.Advance(10);
        cluster.Endpoints[0].Health.ShouldBe(EndpointHealth.Healthy);
    }

    [Fact]
    public void Immediate_failure_on_an_ordinary_response_takes_the_host_out()
    {
        using var cluster = Started(1, 2);
        using var response = new HttpResponseMessage { Headers = { { "x-envoy-immediate-health-check-fail", "true" } } };
        cluster.Endpoints[0].State.Monitor!.OnResponse(response, isGrpc: false);
        cluster.Healthy.ShouldBe([2]);
        cluster.Endpoints[0].IsExcluded.ShouldBeTrue();

        cluster.Advance(20);
        cluster.Healthy.ShouldBe([1, 2]);
        cluster.Endpoints[0].IsExcluded.ShouldBeFalse();
    }

    [Fact]
    public void Immediate_failure_on_a_failed_check_excludes_the_host()
    {
        using var cluster = Started(1);
        cluster.Answers[1] = 503;
        cluster.AnsweredHeader = ("x-envoy-immediate-health-check-fail", "true");
        cluster.Advance(10);
        cluster.Endpoints[0].IsExcluded.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_pass_ends_an_ejection_unless_told_otherwise(bool setting, bool ended)
    {
        using var cluster = Started(null, c => c.OutlierDetection = new() { MaxEjectionPercent = 100, BaseEjectionTime = CheckedCluster.Seconds(100), SuccessfulActiveHealthCheckUnejectHost = setting }, 1);
        for (var i = 0; i < 5; i++)
        {
            cluster.Endpoints[0].State.Monitor!.OnResponse(500);
        }

        cluster.Healthy.ShouldBeEmpty();
        cluster.Advance(10);
        cluster.Healthy.ShouldBe(ended ? [1] : []);
    }

    [Fact]
    public void Intervals_depend_on_health_its_edges_and_traffic()
    {
        using var cluster = Started(
            c =>
            {
                (c.Interval, c.UnhealthyInterval) = (CheckedCluster.Seconds(10), CheckedCluster.Seconds(20));
                (c.UnhealthyEdgeInterval, c.HealthyEdgeInterval) = (CheckedCluster.Seconds(2), CheckedCluster.Seconds(3));
                (c.NoTrafficInterval, c.NoTrafficHealthyInterval) = (CheckedCluster.Seconds(60), CheckedCluster.Seconds(100));
            },
            null,
            1);
        Next(100, 0); // healthy, no traffic; now broken
        var state = cluster.Endpoints[0].State;
        state.TryAcquire().ShouldBeTrue();
        _ = state.Transport;
        state.Release();
        Next(60, 0); // pending without traffic when it was set; from here on there is traffic
        Next(2, 0); // second failure: pending
        cluster.Healthy.ShouldBeEmpty("third failure");
        Next(20, 200); // first pass: pending
        Next(3, 200); // second pass: healthy
        cluster.Healthy.ShouldBe([1]);
        Next(10, 200);

        void Next(double seconds, int answer)
        {
            var checks = cluster.Checks;
            cluster.Advance(seconds - 0.001);
            cluster.Checks.ShouldBe(checks, $"not before {seconds} s");
            cluster.Answers[1] = answer;
            cluster.Advance(0.001);
            cluster.Checks.ShouldBe(checks + 1);
        }
    }

    [Fact]
    public void Jitter_spreads_the_first_check_and_the_intervals()
    {
        // Four even parts in an order of the source; every draw is an eighth, three, five or seven of its range.
        using var cluster = new CheckedCluster(c => (c.InitialJitter, c.IntervalJitterPercent) = (CheckedCluster.Seconds(8), 40));
        cluster.SetHosts(1, 2, 3, 4);
        var first = new List<int>();
        for (var second = 0; second < 8; second++)
        {
            cluster.Advance(1);
            first.Add(cluster.Checks);
        }

        first.ShouldBe([1, 1, 2, 2, 3, 3, 4, 4]);
        cluster.Advance(2.4);
        cluster.Checks.ShouldBe(4, "nobody before 10 s and an eighth of 4 s have passed");
        cluster.Advance(14);
        cluster.Checks.ShouldBeGreaterThanOrEqualTo(8);
    }

    [Fact]
    public void A_dropped_host_serves_while_its_checks_pass()
    {
        using var cluster = Started(1, 2);
        cluster.SetHosts(2);
        cluster.Healthy.ShouldBe([1, 2]);
        cluster.Advance(10);
        cluster.Healthy.ShouldBe([1, 2]);
        cluster.Answers[1] = 500;
        cluster.Advance(10);
        cluster.Endpoints.ShouldHaveSingleItem().Resource.AddressText.ShouldBe("127.0.0.1:2");
    }

    [Fact]
    public void A_dropped_host_is_gone_where_health_is_to_be_ignored()
    {
        using var cluster = Started(null, c => c.IgnoreHealthOnHostRemoval = true, 1, 2);
        cluster.SetHosts(2);
        cluster.Healthy.ShouldBe([2]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failed_host_loses_its_connections_only_where_asked(bool asked)
    {
        using var cluster = Started(null, c => c.CloseConnectionsOnHostHealthFailure = asked, 1);
        var state = cluster.Endpoints[0].State;
        cluster.Answers[1] = 500;
        cluster.Advance(10);
        ReferenceEquals(cluster.Endpoints[0].State, state).ShouldBe(!asked);
        state.TryAcquire().ShouldBe(!asked);
        var next = cluster.Endpoints[0].State;
        cluster.Advance(10);
        cluster.Endpoints[0].State.ShouldBeSameAs(next, "once for each failure");
    }

    [Fact]
    public void An_endpoint_may_opt_out()
    {
        using var cluster = new CheckedCluster();
        var endpoints = Resources.Endpoints("c", 1, 2);
        endpoints.Endpoints[0].LbEndpoints[0].Endpoint.HealthCheckConfig = new() { DisableActiveHealthCheck = true };
        cluster.Answers[1] = 500;
        cluster.Answers[2] = 500;
        cluster.SetHosts(endpoints);
        cluster.Advance(0);
        cluster.Healthy.ShouldBe([1]);
        cluster.Checks.ShouldBe(1);
    }

    [Fact]
    public void Checks_that_come_to_a_running_cluster_do_not_interrupt_it()
    {
        using var cluster = Started(1);
        cluster.SetCluster(change: c => c.HealthChecks.Clear());
        cluster.Time.ActiveTimers.ShouldBe(0);
        cluster.SetCluster();
        cluster.Healthy.ShouldBe([1]);
        cluster.Answers[1] = 500;
        cluster.Advance(0);
        cluster.Healthy.ShouldBeEmpty();

        cluster.SetCluster(change: c => c.HealthChecks.Clear());
        cluster.Healthy.ShouldBe([1], "nobody checks it any more");
    }

    [Fact]
    public void The_last_reference_ends_the_checks()
    {
        var cluster = Started(1, 2);
        cluster.Time.ActiveTimers.ShouldBe(2);
        cluster.Dispose();
        cluster.Time.ActiveTimers.ShouldBe(0);
    }

    private static CheckedCluster Started(params int[] ports) => Started(null, null, ports);

    private static CheckedCluster Started(Action<Envoy.Config.Core.V3.HealthCheck>? check, Action<Envoy.Config.Cluster.V3.Cluster>? change, params int[] ports)
    {
        var cluster = new CheckedCluster(check, change);
        cluster.SetHosts(ports);
        cluster.Advance(0);
        cluster.Healthy.ShouldBe(ports);
        return cluster;
    }
}
