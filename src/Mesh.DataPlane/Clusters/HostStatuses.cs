namespace Mesh.DataPlane.Clusters;

/// <summary>Health statuses of hosts as a set (<c>override_host_status</c>).</summary>
[Flags]
internal enum HostStatuses
{
    None = 0,
    Unknown = 1,
    Healthy = 2,
    Unhealthy = 4,
    Draining = 8,
    Timeout = 16,
    Degraded = 32,

    /// <summary>Envoy's when <c>override_host_status</c> is not set.</summary>
    Default = Unknown | Healthy | Degraded,
}
