namespace Mesh.Xds.Serving;

/// <summary>One kind of resource on one stream: what was sent, what was acknowledged, and the last refusal.</summary>
internal sealed record AdsTypeStatus(string TypeUrl, int Subscribed, bool Wildcard, string SentVersion, string AckedVersion, string? LastNack, long Responses, long Requests);
