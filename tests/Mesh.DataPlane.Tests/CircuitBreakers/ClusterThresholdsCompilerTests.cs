using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using EnvoyThresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;
using Thresholds = Mesh.DataPlane.CircuitBreakers.Thresholds;

namespace Mesh.DataPlane.Tests.CircuitBreakers;

public class ClusterThresholdsCompilerTests
{
    [Fact]
    public void A_cluster_that_says_nothing_has_Envoys_limits() => Decode([]).Policy.CircuitBreakers.ShouldBe(ClusterThresholds.None);

    [Fact]
    public void Each_priority_has_the_first_thresholds_that_name_it()
    {
        var limits = Decode(
        [
            new() { MaxConnections = 1, MaxPendingRequests = 2, MaxRequests = 3, MaxRetries = 4, TrackRemaining = true },
            new() { Priority = RoutingPriority.High, MaxRequests = 5 },
            new() { MaxConnections = 9 },
        ]).Policy.CircuitBreakers;
        limits.Default.ShouldBe(new Thresholds { MaxConnections = 1, MaxPendingRequests = 2, MaxRequests = 3, MaxRetries = 4, TrackRemaining = true });
        limits.High.ShouldBe(new Thresholds { MaxRequests = 5 });
    }

    [Fact]
    public void Hosts_have_limits_of_their_own_for_connections_and_requests()
    {
        var resource = Decode([], [new() { MaxConnections = 1, MaxRequests = 2, MaxRetries = 3 }]);
        resource.Policy.CircuitBreakers.Default.ShouldBe(new Thresholds { MaxConnectionsPerHost = 1, MaxRequestsPerHost = 2 });
        resource.Notes.ShouldHaveSingleItem().ShouldStartWith("circuit_breakers.per_host_thresholds[0]");
    }

    [Fact]
    public void A_retry_budget_has_Envoys_defaults()
        => Decode([new() { RetryBudget = new() }]).Policy.CircuitBreakers.Default.RetryBudget.ShouldBe(new RetryBudget(20, 3));

    [Fact]
    public void A_retry_budget_over_a_hundred_percent_is_refused()
        => Should.Throw<ResourceRejectedException>(() => Decode([new() { RetryBudget = new() { BudgetPercent = new Percent { Value = 101 } } }]))
            .Field.ShouldStartWith("circuit_breakers.thresholds[0].retry_budget.budget_percent");

    [Fact]
    public void What_is_not_limited_is_told()
        => Decode([new() { MaxConnectionPools = 3, RetryBudget = new() { BudgetInterval = new() { Seconds = 1 } } }]).Notes.Count.ShouldBe(2);

    private static ClusterResource Decode(EnvoyThresholds[] thresholds, EnvoyThresholds[]? perHost = null)
    {
        var cluster = Resources.Cluster("c");
        cluster.CircuitBreakers = new() { Thresholds = { thresholds }, PerHostThresholds = { perHost ?? [] } };
        return (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);
    }
}
