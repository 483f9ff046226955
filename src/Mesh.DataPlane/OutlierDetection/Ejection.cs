namespace Mesh.DataPlane.OutlierDetection;

/// <summary>One ejection of a host.</summary>
/// <param name="Reason">What made it an outlier.</param>
/// <param name="At">When.</param>
/// <param name="Duration">How long it lasts at least; it ends at the first interval after that.</param>
internal sealed record Ejection(EjectionReason Reason, DateTimeOffset At, TimeSpan Duration);
