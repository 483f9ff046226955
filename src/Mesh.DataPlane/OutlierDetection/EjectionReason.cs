namespace Mesh.DataPlane.OutlierDetection;

/// <summary>What made a host an outlier (Envoy's <c>OutlierEjectionType</c>).</summary>
internal enum EjectionReason
{
    Consecutive5xx,
    ConsecutiveGatewayFailure,
    SuccessRate,
    ConsecutiveLocalOriginFailure,
    SuccessRateLocalOrigin,
    FailurePercentage,
    FailurePercentageLocalOrigin,
}
