namespace Mesh.DataPlane.Hosts;

internal enum HostStatus
{
    /// <summary>Asked for, not answered.</summary>
    Pending,

    /// <summary>The mesh has a listener for it, and routes.</summary>
    Meshed,

    /// <summary>The control plane does not know it.</summary>
    Unknown,

    /// <summary>The mesh has a listener for it, but nothing usable to route by.</summary>
    Failed,
}
