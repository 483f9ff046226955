namespace Mesh.DataPlane.Explaining;

/// <summary>Whether a policy of authorization is for a request.</summary>
/// <param name="Name">Its name; Istio's say which AuthorizationPolicy and which of its rules.</param>
/// <param name="Source">The AuthorizationPolicy in words, where the name says it.</param>
/// <param name="Action"><c>ALLOW</c>, <c>DENY</c> or <c>LOG</c>.</param>
/// <param name="IsShadow">It is tried out and decides nothing.</param>
/// <param name="Matches">Whether both halves match.</param>
/// <param name="OperationMatches">What is asked for is among what it is about (<c>to</c>, <c>when</c>).</param>
/// <param name="SourceMatches">Who asks is among those whom it is about (<c>from</c>).</param>
internal sealed record PolicyVerdict(string Name, string? Source, string Action, bool IsShadow, bool Matches, bool OperationMatches, bool SourceMatches);
