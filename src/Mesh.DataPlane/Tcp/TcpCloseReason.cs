namespace Mesh.DataPlane.Tcp;

/// <summary>Why a connection is no longer open.</summary>
internal enum TcpCloseReason
{
    /// <summary>It is open.</summary>
    None,

    /// <summary>Its owner has closed it, or has lost it.</summary>
    Disposed,

    /// <summary>Both ends have said all they had to say.</summary>
    Completed,

    /// <summary>The other end, or the network, has broken it.</summary>
    Broken,

    /// <summary>Nothing has moved for <c>idle_timeout</c>.</summary>
    Idle,

    /// <summary>It has lasted for <c>max_downstream_connection_duration</c>.</summary>
    MaxDuration,

    /// <summary>What it was admitted by is no longer in force, and the time for draining is over.</summary>
    Drained,

    /// <summary>Its host turned unhealthy, and the cluster closes connections then.</summary>
    HostFailed,

    /// <summary>The other end's certificate is of an authority that is not trusted any more, or this workload's own is another's.</summary>
    NotTrusted,

    /// <summary>A certificate that it was made with has ended, or is about to and nothing moved.</summary>
    Aged,
}
