namespace Mesh.DataPlane.Explaining;

/// <summary>One resource that is asked for.</summary>
/// <param name="TypeUrl">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">CSDS's client status: <c>REQUESTED</c>, <c>ACKED</c>, <c>NACKED</c>, <c>DOES_NOT_EXIST</c>, <c>RECEIVED_ERROR</c>, <c>TIMEOUT</c>.</param>
/// <param name="Version">The version in use.</param>
/// <param name="Error">What is wrong with it, or with a newer one.</param>
/// <param name="LastUpdated">When the control plane last said something of it.</param>
/// <param name="RejectedVersion">The newer version that was refused.</param>
internal sealed record XdsResourceDump(string TypeUrl, string Name, string State, string Version, string? Error, DateTimeOffset? LastUpdated, string? RejectedVersion);
