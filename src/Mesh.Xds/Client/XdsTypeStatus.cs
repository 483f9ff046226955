namespace Mesh.Xds.Client;

/// <summary>How the last responses of one kind of resource ended.</summary>
/// <param name="TypeUrl">The kind.</param>
/// <param name="Accepted">Responses that were acknowledged.</param>
/// <param name="Refused">Responses that were not.</param>
/// <param name="LastAck">The last that was; <see langword="null"/> for none yet.</param>
/// <param name="LastNack">The last that was not; <see langword="null"/> for none yet.</param>
internal sealed record XdsTypeStatus(string TypeUrl, long Accepted, long Refused, XdsAnswer? LastAck, XdsAnswer? LastNack);
