namespace Mesh.ControlPlane.Issuers;

/// <summary>What an issuer says of itself cannot be had, or cannot be used.</summary>
/// <param name="message">Why, without the end of a sentence.</param>
/// <param name="inner">What was thrown.</param>
internal sealed class IssuerException(string message, Exception? inner = null) : Exception(message, inner);
