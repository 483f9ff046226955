namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Why a request is traced, as Envoy writes it into the request's id.</summary>
internal enum TraceReason
{
    /// <summary>It is not.</summary>
    NotTraceable,

    /// <summary>By chance.</summary>
    Sampling,

    /// <summary>A service has asked for it (<c>x-envoy-force-trace</c>).</summary>
    ServiceForced,

    /// <summary>The client has asked for it (<c>x-client-trace-id</c>).</summary>
    ClientForced,
}
