using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.OutlierDetection;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Clusters;

/// <summary>Tells what becomes of a cluster's hosts (Envoy's outlier detection and health check event logs).</summary>
internal sealed partial class HostEvents(ILogger logger, string cluster)
{
    public void Ejected(string host, EjectionReason reason, TimeSpan duration, bool enforced)
    {
        if (enforced)
        {
            Log.Ejected(logger, host, cluster, reason, duration.TotalSeconds);
        }
        else
        {
            Log.NotEnforced(logger, host, cluster, reason);
        }
    }

    public void Unejected(string host) => Log.Unejected(logger, host, cluster);

    public void Healthy(string host, bool first) => Log.Healthy(logger, host, cluster, first);

    public void Unhealthy(string host, HealthCheckOutcome outcome) => Log.Unhealthy(logger, host, cluster, outcome);

    public void CheckPassed(string host) => Log.CheckPassed(logger, host, cluster);

    public void CheckFailed(string host, HealthCheckOutcome outcome) => Log.CheckFailed(logger, host, cluster, outcome);

    public void Degraded(string host) => Log.Degraded(logger, host, cluster);

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Warning, "{Host} of {Cluster} is ejected for {Seconds} s: {Reason}.")]
        public static partial void Ejected(ILogger logger, string host, string cluster, EjectionReason reason, double seconds);

        [LoggerMessage(11, LogLevel.Debug, "{Host} of {Cluster} is an outlier and stays, since {Reason} is not enforced.")]
        public static partial void NotEnforced(ILogger logger, string host, string cluster, EjectionReason reason);

        [LoggerMessage(12, LogLevel.Information, "{Host} of {Cluster} is ejected no longer.")]
        public static partial void Unejected(ILogger logger, string host, string cluster);

        [LoggerMessage(13, LogLevel.Information, "{Host} of {Cluster} is degraded.")]
        public static partial void Degraded(ILogger logger, string host, string cluster);

        [LoggerMessage(14, LogLevel.Information, "{Host} of {Cluster} passes its health check (first check: {First}).")]
        public static partial void Healthy(ILogger logger, string host, string cluster, bool first);

        [LoggerMessage(15, LogLevel.Warning, "{Host} of {Cluster} is unhealthy: {Outcome}.")]
        public static partial void Unhealthy(ILogger logger, string host, string cluster, HealthCheckOutcome outcome);

        [LoggerMessage(16, LogLevel.Information, "{Host} of {Cluster} passed a health check.")]
        public static partial void CheckPassed(ILogger logger, string host, string cluster);

        [LoggerMessage(17, LogLevel.Warning, "{Host} of {Cluster} failed a health check: {Outcome}.")]
        public static partial void CheckFailed(ILogger logger, string host, string cluster, HealthCheckOutcome outcome);
    }
}
