namespace Mesh.ControlPlane.Discovery;

/// <summary>How changes become pushes.</summary>
/// <param name="ClusterDomain">The domain of the mesh's own names.</param>
/// <param name="QuietTime">How long nothing may change before what changed is pushed (Istio's <c>PILOT_DEBOUNCE_AFTER</c>); zero: at once.</param>
/// <param name="MaxDelay">How long a steady stream of changes may put a push off (Istio's <c>PILOT_DEBOUNCE_MAX</c>).</param>
/// <param name="StartGrace">How long after its start the control plane takes a service without endpoints for one whose workloads have not come back yet.</param>
/// <param name="Retry503">Whether a status of 503 is retried where a rule does not say what is.</param>
internal sealed record DiscoveryOptions(
    string ClusterDomain, TimeSpan QuietTime, TimeSpan MaxDelay, TimeSpan StartGrace = default, bool Retry503 = false);
