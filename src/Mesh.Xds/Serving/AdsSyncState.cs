namespace Mesh.Xds.Serving;

/// <summary>How far a client is with one kind of resource, in the words of <c>istioctl proxy-status</c> and CSDS's <c>ConfigStatus</c>.</summary>
internal enum AdsSyncState
{
    /// <summary>It asked, and nothing was sent.</summary>
    NotSent,

    /// <summary>It accepted the last response.</summary>
    Synced,

    /// <summary>It has not answered the last response.</summary>
    Stale,

    /// <summary>It refused the last response.</summary>
    Error,
}
