namespace Mesh.ControlPlane.Issuers;

/// <summary>What is known of where an issuer's keys are.</summary>
/// <param name="JwksUri">Where, as was last heard; <see langword="null"/> while nothing was.</param>
/// <param name="Problem">Why it could not be heard the last time; <see langword="null"/> when it could, or nobody has asked yet.</param>
internal sealed record IssuerAnswer(string? JwksUri, string? Problem);
