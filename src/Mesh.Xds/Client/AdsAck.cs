namespace Mesh.Xds.Client;

/// <summary>The answer to one response.</summary>
/// <param name="Nonce">The response's nonce, echoed.</param>
/// <param name="Version">The version accepted last: the response's own on an ACK, the one before on a NACK.</param>
/// <param name="Error">What was wrong; <see langword="null"/> is an ACK.</param>
internal sealed record AdsAck(string Nonce, string Version, string? Error);
