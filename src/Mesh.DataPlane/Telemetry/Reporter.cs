namespace Mesh.DataPlane.Telemetry;

/// <summary>Which end of a request tells of it (Istio's <c>reporter</c>).</summary>
internal enum Reporter
{
    /// <summary>The caller's: the client's door.</summary>
    Source,

    /// <summary>The callee's: the server's door.</summary>
    Destination,
}
