namespace Mesh.DataPlane.Clusters;

internal enum ClusterStatus
{
    /// <summary>Asked for, not answered.</summary>
    Pending,

    /// <summary>There is a policy and an answer about endpoints, be it that there are none.</summary>
    Ready,

    /// <summary>The control plane says that it does not exist, or has sent nothing usable.</summary>
    Missing,
}
