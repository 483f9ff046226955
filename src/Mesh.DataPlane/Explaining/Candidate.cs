namespace Mesh.DataPlane.Explaining;

/// <summary>An endpoint that a request might go to.</summary>
/// <param name="Endpoint">What is known of it.</param>
/// <param name="Percent">The share of requests that its priority takes now; 0 when it takes none.</param>
/// <param name="IsPicked">The draw falls on it.</param>
/// <param name="WhyNot">Why it cannot be picked; <see langword="null"/> for one that can.</param>
internal sealed record Candidate(EndpointDump Endpoint, uint Percent, bool IsPicked, string? WhyNot);
