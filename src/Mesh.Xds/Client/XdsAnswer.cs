namespace Mesh.Xds.Client;

/// <summary>What was answered to a response.</summary>
/// <param name="Version">The response's version.</param>
/// <param name="Nonce">Its nonce.</param>
/// <param name="At">When.</param>
/// <param name="Error">What was wrong; <see langword="null"/> is an ACK.</param>
internal sealed record XdsAnswer(string Version, string Nonce, DateTimeOffset At, string? Error);
