using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>What this process knows of a host's health: it lives as long as the address belongs to the cluster, through every change of endpoints and connection pools.</summary>
internal sealed class HostHealth(ClusterTraffic? traffic = null)
{
    private const HealthFlags Failed = HealthFlags.FailedActiveHealthCheck | HealthFlags.FailedOutlierCheck;
    private const HealthFlags Degraded = HealthFlags.DegradedActiveHealthCheck | HealthFlags.DegradedOutlierDetection;
    private const HealthFlags Excluded = HealthFlags.PendingActiveHealthCheck | HealthFlags.ExcludedByImmediateFailure;

    private int _flags;
    private int _failures;
    private HostMonitor? _monitor;

    public HealthFlags Flags => (HealthFlags)Volatile.Read(ref _flags);

    /// <summary>Whom to tell how requests to the host end; <see langword="null"/> when nobody wants to know.</summary>
    public HostMonitor? Monitor
    {
        get => Volatile.Read(ref _monitor);
        set => Volatile.Write(ref _monitor, value);
    }

    /// <summary>How often the host has turned unhealthy by what was found out here.</summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>Whether the cluster has ever been sent a request.</summary>
    public bool HadTraffic => traffic?.Seen == true;

    public void SeeTraffic() => traffic?.See();

    public bool Has(HealthFlags flag) => (Flags & flag) != 0;

    /// <returns>Whether that changed anything.</returns>
    public bool Set(HealthFlags flag)
    {
        var before = (HealthFlags)Interlocked.Or(ref _flags, (int)flag);
        if ((flag & ~before & Failed) != 0)
        {
            Interlocked.Increment(ref _failures);
        }

        return (before & flag) != flag;
    }

    /// <returns>Whether that changed anything.</returns>
    public bool Clear(HealthFlags flag) => (Interlocked.And(ref _flags, ~(int)flag) & (int)flag) != 0;

    /// <summary>The worst of all that is known (Envoy's <c>coarseHealth</c>).</summary>
    public static EndpointHealth Combine(EndpointHealth said, HealthFlags found)
        => said == EndpointHealth.Unhealthy || (found & Failed) != 0 ? EndpointHealth.Unhealthy
            : said == EndpointHealth.Degraded || (found & Degraded) != 0 ? EndpointHealth.Degraded
            : EndpointHealth.Healthy;

    /// <summary>The status that sessions with a host of their own ask for (Envoy's <c>healthStatus</c>): what was found before what was said.</summary>
    public static HostStatuses Combine(HostStatuses said, HealthFlags found)
        => (found & Failed) != 0 ? HostStatuses.Unhealthy
            : (said & (HostStatuses.Unhealthy | HostStatuses.Draining | HostStatuses.Timeout)) != 0 ? said
            : (found & Degraded) != 0 ? HostStatuses.Degraded
            : said;

    /// <summary>Whether the host stays out of the sums by which priorities, localities and panic are worked out.</summary>
    public static bool IsExcluded(HostStatuses said, HealthFlags found) => said == HostStatuses.Draining || (found & Excluded) != 0;
}
