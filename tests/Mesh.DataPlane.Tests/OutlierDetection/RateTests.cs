using Mesh.DataPlane.OutlierDetection;

namespace Mesh.DataPlane.Tests.OutlierDetection;

public class RateTests
{
    // Rates 50, 100, 100, 100, 100: mean 90, variance (40² + 4 × 10²) / 5 = 400, deviation 20; 90 − 1.9 × 20 = 52.
    [Fact]
    public void A_success_rate_below_the_mean_by_so_many_deviations_ejects()
    {
        using var cluster = new OutlierCluster(5, d => (d.MaxEjectionPercent, d.Consecutive5Xx) = (100, 0));
        Answer(cluster, 1, good: 50, bad: 50);
        for (var port = 2; port <= 5; port++)
        {
            Answer(cluster, port, good: 100, bad: 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBe([1]);
        cluster.Host(1).LastEjection!.Reason.ShouldBe(EjectionReason.SuccessRate);
        cluster.Host(1).SuccessRate.ShouldBe(50);
        cluster.Host(2).SuccessRate.ShouldBe(100);
    }

    // A factor of 2000: 90 − 2 × 20 = 50, and 50 is not below 50.
    [Theory]
    [InlineData(2000u, false)]
    [InlineData(1999u, true)]
    public void The_threshold_itself_is_good_enough(uint factor, bool ejected)
    {
        using var cluster = new OutlierCluster(5, d => (d.MaxEjectionPercent, d.Consecutive5Xx, d.SuccessRateStdevFactor) = (100, 0, factor));
        Answer(cluster, 1, good: 50, bad: 50);
        for (var port = 2; port <= 5; port++)
        {
            Answer(cluster, port, good: 100, bad: 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBe(ejected ? [1] : []);
    }

    [Theory]
    [InlineData(4, 100)] // too few hosts
    [InlineData(5, 98)] // enough hosts, too few requests
    public void Too_few_hosts_or_requests_are_not_judged(int hosts, int requests)
    {
        using var cluster = new OutlierCluster(hosts, d => (d.MaxEjectionPercent, d.Consecutive5Xx) = (100, 0));
        Answer(cluster, 1, good: 0, bad: requests);
        for (var port = 2; port <= hosts; port++)
        {
            Answer(cluster, port, good: requests, bad: 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_interval_that_has_ended_counts()
    {
        using var cluster = new OutlierCluster(5, d => (d.MaxEjectionPercent, d.Consecutive5Xx) = (100, 0));
        for (var port = 1; port <= 5; port++)
        {
            Answer(cluster, port, good: port == 1 ? 30 : 60, bad: port == 1 ? 30 : 0);
        }

        cluster.Advance(10);
        for (var port = 1; port <= 5; port++)
        {
            Answer(cluster, port, good: port == 1 ? 30 : 60, bad: port == 1 ? 30 : 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBeEmpty("60 requests in each of two intervals are not 100 in one");
    }

    [Fact]
    public void Istio_does_not_enforce_the_success_rate()
    {
        using var cluster = new OutlierCluster(5, d => (d.MaxEjectionPercent, d.Consecutive5Xx, d.EnforcingSuccessRate) = (100, 0, 0));
        Answer(cluster, 1, good: 50, bad: 50);
        for (var port = 2; port <= 5; port++)
        {
            Answer(cluster, port, good: 100, bad: 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBeEmpty();
        cluster.Detector.Statistics.Detected(EjectionReason.SuccessRate).ShouldBe(1);
    }

    [Theory]
    [InlineData(85, true)] // at the threshold of 85 %
    [InlineData(84, false)]
    public void A_failure_percentage_ejects_at_its_threshold(int bad, bool ejected)
    {
        using var cluster = new OutlierCluster(5, d =>
        {
            (d.MaxEjectionPercent, d.Consecutive5Xx, d.EnforcingSuccessRate, d.EnforcingFailurePercentage) = (100, 0, 0, 100);
        });
        Answer(cluster, 1, good: 100 - bad, bad: bad);
        for (var port = 2; port <= 5; port++)
        {
            Answer(cluster, port, good: 50, bad: 0);
        }

        cluster.Advance(10);
        cluster.Ejected.ShouldBe(ejected ? [1] : []);
    }

    [Fact]
    public void A_failure_percentage_needs_so_many_hosts_with_so_many_requests()
    {
        using var cluster = new OutlierCluster(5, d =>
        {
            (d.MaxEjectionPercent, d.Consecutive5Xx, d.EnforcingFailurePercentage, d.FailurePercentageMinimumHosts, d.FailurePercentageRequestVolume) = (100, 0, 100, 2, 10);
        });
        Answer(cluster, 1, good: 0, bad: 10);
        Answer(cluster, 2, good: 9, bad: 0);
        cluster.Advance(10);
        cluster.Ejected.ShouldBeEmpty();

        Answer(cluster, 1, good: 0, bad: 10);
        Answer(cluster, 2, good: 10, bad: 0);
        cluster.Advance(10);
        cluster.Ejected.ShouldBe([1]);
        cluster.Host(1).LastEjection!.Reason.ShouldBe(EjectionReason.FailurePercentage);
    }

    [Fact]
    public void Local_origin_has_a_success_rate_and_a_failure_percentage_of_its_own()
    {
        using var cluster = new OutlierCluster(10, d =>
        {
            (d.MaxEjectionPercent, d.Consecutive5Xx, d.SplitExternalLocalOriginErrors, d.ConsecutiveLocalOriginFailure) = (100, 0, true, 0);
            (d.EnforcingFailurePercentageLocalOrigin, d.FailurePercentageThreshold) = (100, 40);
        });
        for (var port = 1; port <= 10; port++)
        {
            Answer(cluster, port, good: port <= 2 ? 50 : 100, bad: 0);
        }

        cluster.Fail(1, LocalOriginFailure.ConnectFailed, 50);
        cluster.Fail(2, LocalOriginFailure.ConnectFailed, 40);

        // Rates 50, 55.6 (90 requests: too few for the success rate) and 8 × 100: of nine the mean is 94.4, the deviation 15.7, the threshold 64.6.
        cluster.Advance(10);
        cluster.Ejected.ShouldBe([1, 2]);
        cluster.Host(1).LastEjection!.Reason.ShouldBe(EjectionReason.SuccessRateLocalOrigin);
        cluster.Host(2).LastEjection!.Reason.ShouldBe(EjectionReason.FailurePercentageLocalOrigin);
        cluster.Host(1).Ejections.ShouldBe(1u, "both apply to it, and it is ejected once");
    }

    private static void Answer(OutlierCluster cluster, int port, int good, int bad)
    {
        cluster.Respond(port, 200, good);
        cluster.Respond(port, 500, bad);
    }
}
