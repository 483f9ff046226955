namespace Mesh.DataPlane.Clusters;

/// <summary>What this process has found out itself about a host, beside what the control plane says of it (Envoy's <c>Host::HealthFlag</c>).</summary>
[Flags]
internal enum HealthFlags
{
    None = 0,

    /// <summary>The active health check fails, or has not passed yet.</summary>
    FailedActiveHealthCheck = 0x1,

    /// <summary>Ejected by outlier detection.</summary>
    FailedOutlierCheck = 0x2,

    /// <summary>The active health check passes with <c>x-envoy-degraded</c>.</summary>
    DegradedActiveHealthCheck = 0x8,

    /// <summary>New, and <c>ignore_new_hosts_until_first_hc</c> keeps it out of all sums until its first check.</summary>
    PendingActiveHealthCheck = 0x40,

    /// <summary>Has said <c>x-envoy-immediate-health-check-fail</c>: out of all sums until it passes again.</summary>
    ExcludedByImmediateFailure = 0x80,

    /// <summary>The last active health check failed by its timeout.</summary>
    ActiveHealthCheckTimeout = 0x100,

    /// <summary>Found degraded by outlier detection.</summary>
    DegradedOutlierDetection = 0x400,
}
