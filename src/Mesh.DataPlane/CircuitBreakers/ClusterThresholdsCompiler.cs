using Mesh.DataPlane.Routing;
using Mesh.Xds.Client;
using EnvoyBreakers = Envoy.Config.Cluster.V3.CircuitBreakers;
using EnvoyThresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>Compiles a cluster's <c>circuit_breakers</c>.</summary>
internal static class ClusterThresholdsCompiler
{
    // Envoy's, for a retry budget that sets one of the two.
    private const double DefaultBudgetPercent = 20;
    private const uint DefaultMinRetryConcurrency = 3;

    /// <param name="message">May be <see langword="null"/>: Envoy's defaults.</param>
    /// <param name="path">Where it stands in the resource.</param>
    /// <param name="notes">Takes what is not done.</param>
    /// <exception cref="ResourceRejectedException">A value is out of range.</exception>
    public static ClusterThresholds Compile(EnvoyBreakers? message, string path, ICollection<string> notes)
        => message is null
            ? ClusterThresholds.None
            : new ClusterThresholds(Compile(message, RoutingPriority.Default, path, notes), Compile(message, RoutingPriority.High, path, notes));

    // Of several for one priority Envoy takes the first.
    private static Thresholds Compile(EnvoyBreakers message, RoutingPriority priority, string path, ICollection<string> notes)
    {
        var thresholds = Thresholds.Default;
        if (First(message.Thresholds, priority) is { } general)
        {
            var place = $"{path}.thresholds[{message.Thresholds.IndexOf(general)}]";
            thresholds = thresholds with
            {
                MaxConnections = general.MaxConnections ?? thresholds.MaxConnections,
                MaxPendingRequests = general.MaxPendingRequests ?? thresholds.MaxPendingRequests,
                MaxRequests = general.MaxRequests ?? thresholds.MaxRequests,
                MaxRetries = general.MaxRetries ?? thresholds.MaxRetries,
                RetryBudget = Budget(general.RetryBudget, place + ".retry_budget", notes),
                TrackRemaining = general.TrackRemaining,
            };

            // Envoy's default is no limit, so a number that no process reaches is not worth telling.
            if (general.MaxConnectionPools is < uint.MaxValue)
            {
                notes.Add($"{place}.max_connection_pools: there is one pool for each endpoint");
            }
        }

        if (First(message.PerHostThresholds, priority) is { } perHost)
        {
            thresholds = thresholds with
            {
                MaxConnectionsPerHost = perHost.MaxConnections ?? thresholds.MaxConnectionsPerHost,
                MaxRequestsPerHost = perHost.MaxRequests ?? thresholds.MaxRequestsPerHost,
            };
            if (perHost.MaxPendingRequests is not null || perHost.MaxRetries is not null || perHost.RetryBudget is not null || perHost.MaxConnectionPools is not null)
            {
                notes.Add($"{path}.per_host_thresholds[{message.PerHostThresholds.IndexOf(perHost)}]: only max_connections and max_requests are limited for each host");
            }
        }

        return thresholds;
    }

    private static EnvoyThresholds? First(IEnumerable<EnvoyThresholds> list, RoutingPriority priority)
        => list.FirstOrDefault(t => RoutingPriorityCompiler.Compile(t.Priority) == priority);

    private static RetryBudget? Budget(EnvoyThresholds.Types.RetryBudget? message, string path, ICollection<string> notes)
    {
        if (message is null)
        {
            return null;
        }

        var percent = message.BudgetPercent?.Value ?? DefaultBudgetPercent;
        if (percent is not (>= 0 and <= 100))
        {
            throw new ResourceRejectedException(path + ".budget_percent", "must be between 0 and 100");
        }

        if (message.BudgetInterval is not null)
        {
            notes.Add($"{path}.budget_interval: the budget is of the requests under way at the moment of the retry");
        }

        return new RetryBudget(percent, message.MinRetryConcurrency ?? DefaultMinRetryConcurrency);
    }
}
