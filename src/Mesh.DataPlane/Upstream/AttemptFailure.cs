namespace Mesh.DataPlane.Upstream;

/// <summary>How an attempt ended without a response; what retries are decided by.</summary>
internal enum AttemptFailure
{
    None,

    /// <summary>The connection could not be made.</summary>
    Connect,

    /// <summary>HTTP/2's REFUSED_STREAM: the upstream has not looked at the request.</summary>
    RefusedStream,

    /// <summary>The connection or stream ended, or the upstream broke the protocol, before the response began.</summary>
    Reset,

    /// <summary>The try took longer than a try may; another one may be worth it.</summary>
    PerTryTimeout,

    /// <summary>The try lasted longer than the cluster allows; another one may be worth it, and the host is not to blame.</summary>
    StreamDuration,

    /// <summary>A clock over all tries ran out: no further try.</summary>
    Timeout,

    /// <summary>A circuit breaker is open: no further try.</summary>
    Overflow,

    /// <summary>No cluster, or no host that may be used: no further try.</summary>
    NoHost,

    /// <summary>The route's cluster has been let go meanwhile, because the routes or the host have: route anew.</summary>
    Stale,
}
