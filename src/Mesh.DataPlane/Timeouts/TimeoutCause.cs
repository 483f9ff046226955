namespace Mesh.DataPlane.Timeouts;

/// <summary>What ended an attempt before its response did.</summary>
internal enum TimeoutCause : byte
{
    None,

    /// <summary>The caller's own token.</summary>
    Caller,

    /// <summary>The route's <c>timeout</c>, over all tries.</summary>
    Route,

    /// <summary>The retry policy's <c>per_try_timeout</c>.</summary>
    PerTry,

    /// <summary>The retry policy's <c>per_try_idle_timeout</c>.</summary>
    PerTryIdle,

    /// <summary>Nothing moved for the stream's <c>idle_timeout</c>.</summary>
    Idle,

    /// <summary><c>max_stream_duration</c>.</summary>
    MaxStreamDuration,

    /// <summary>The cluster's <c>max_stream_duration</c>, which each try has to itself.</summary>
    UpstreamMaxStreamDuration,
}
