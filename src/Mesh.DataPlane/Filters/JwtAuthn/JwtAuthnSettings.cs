using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>A listener's <c>JwtAuthentication</c>, compiled.</summary>
/// <param name="Providers">Every provider: the headers that they write are taken off each request first, lest a caller write them.</param>
/// <param name="Rules">The first that matches a request says what it has to bring; <see langword="null"/> for nothing.</param>
/// <param name="Named">Requirements that routes name.</param>
/// <param name="BypassesCorsPreflight">Preflight requests, which never carry credentials, pass.</param>
/// <param name="StripsFailures">Refusals say nothing of their reason.</param>
internal sealed record JwtAuthnSettings(
    JwtProviderSettings[] Providers,
    (RouteMatch Match, JwtRequirement? Requirement)[] Rules,
    IReadOnlyDictionary<string, JwtRequirement?> Named,
    bool BypassesCorsPreflight,
    bool StripsFailures);
