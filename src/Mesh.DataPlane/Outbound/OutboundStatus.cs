namespace Mesh.DataPlane.Outbound;

/// <summary>What a process believes about the world outside of the mesh, for status pages, logs and tests.</summary>
/// <param name="Policy">What an unknown host meets: <c>ALLOW_ANY</c>, <c>REGISTRY_ONLY</c>, or the cluster that takes it.</param>
/// <param name="Source">Who says so.</param>
/// <param name="Version">The version of the listener; empty when it is not the control plane that says so.</param>
/// <param name="PassthroughRequests">How many requests went on to where they were going (<c>PassthroughCluster</c>).</param>
/// <param name="BlackHoleRequests">How many were refused (<c>BlackHoleCluster</c>).</param>
internal sealed record OutboundStatus(string Policy, string Source, string Version, long PassthroughRequests, long BlackHoleRequests);
