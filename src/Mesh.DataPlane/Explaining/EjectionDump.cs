namespace Mesh.DataPlane.Explaining;

/// <summary>Why a host takes no requests, and until when.</summary>
/// <param name="Reason">What made it an outlier: <c>Consecutive5xx</c>, <c>SuccessRate</c> …</param>
/// <param name="At">Since when.</param>
/// <param name="DurationSeconds">How long it lasts at least; it ends at the first interval after that.</param>
/// <param name="LeftSeconds">What is left of that.</param>
internal sealed record EjectionDump(string Reason, DateTimeOffset At, double DurationSeconds, double LeftSeconds);
