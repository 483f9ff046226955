namespace Mesh.Xds.Serving;

/// <summary>A response that waits for its ACK or NACK, and the push that its answer settles.</summary>
internal sealed record UnansweredResponse(long Nonce, long Epoch, string Version);
