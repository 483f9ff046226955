namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Istio's metrics.</summary>
internal enum IstioMetric
{
    Requests,
    RequestDuration,
    RequestBytes,
    ResponseBytes,
    RequestMessages,
    ResponseMessages,
    TcpConnectionsOpened,
    TcpConnectionsClosed,
    TcpSentBytes,
    TcpReceivedBytes,
}
