namespace Mesh.Xds.Client;

/// <summary>One watched resource: <paramref name="State"/> is CSDS's client status (REQUESTED, ACKED, NACKED, DOES_NOT_EXIST).</summary>
internal sealed record XdsResourceStatus(string TypeUrl, string Name, string State, string Version, string? Error, DateTimeOffset? LastUpdated);
