namespace Mesh.DataPlane.HealthChecking;

/// <summary>What one check came to.</summary>
internal enum HealthCheckOutcome
{
    Passed,

    /// <summary>Passed, with <c>x-envoy-degraded</c>.</summary>
    Degraded,

    /// <summary>The host answered that it is not well: it is unhealthy at once.</summary>
    Failed,

    /// <summary>It answered with one of <c>retriable_statuses</c>: counts towards the threshold.</summary>
    FailedRetriably,

    /// <summary>As <see cref="Failed"/>, with <c>x-envoy-immediate-health-check-fail</c>.</summary>
    FailedImmediately,

    /// <summary>No connection, or a broken one: counts towards the threshold.</summary>
    NetworkFailure,

    /// <summary>No answer in time: counts towards the threshold.</summary>
    Timeout,
}
