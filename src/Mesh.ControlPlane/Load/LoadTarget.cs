namespace Mesh.ControlPlane.Load;

/// <summary>What a client reports by itself: a cluster's endpoints in one place, or one of them.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Locality"><c>region/zone/sub-zone</c>.</param>
/// <param name="Priority">The endpoints' priority.</param>
/// <param name="Address">The one endpoint; <see langword="null"/> for all of them.</param>
internal readonly record struct LoadTarget(string Cluster, string Locality, uint Priority, string? Address);
