namespace Mesh.DataPlane.OutlierDetection;

/// <summary>How a request ended without a response of the host.</summary>
internal enum LocalOriginFailure
{
    /// <summary>No connection: refused, unreachable, TLS failed.</summary>
    ConnectFailed,

    /// <summary>No connection within <c>connect_timeout</c>.</summary>
    ConnectTimeout,

    /// <summary>The connection or stream broke after the request had been sent.</summary>
    Reset,

    /// <summary>Connected, but no response within the route's or the try's timeout.</summary>
    Timeout,
}
