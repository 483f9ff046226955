namespace Mesh.Xds.Client;

/// <summary>What the bootstrap says of a server (<c>server_features</c>).</summary>
[Flags]
internal enum XdsServerFeatures
{
    None = 0,

    /// <summary><c>xds_v3</c>: always so; accepted because bootstraps carry it (gRFC A30).</summary>
    XdsV3 = 1,

    /// <summary><c>ignore_resource_deletion</c>: a removed resource stays in use (gRFC A53).</summary>
    IgnoreResourceDeletion = 2,

    /// <summary><c>trusted_xds_server</c>: the server may make clients trust things, such as rewritten authorities (gRFC A81).</summary>
    TrustedXdsServer = 4,

    /// <summary><c>fail_on_data_errors</c>: an invalid or missing resource drops the cached one (gRFC A88).</summary>
    FailOnDataErrors = 8,

    /// <summary><c>resource_timer_is_transient_error</c>: an unanswered resource is unavailable after 30 s instead of non-existent after 15 s (gRFC A88).</summary>
    ResourceTimerIsTransientError = 16,
}
