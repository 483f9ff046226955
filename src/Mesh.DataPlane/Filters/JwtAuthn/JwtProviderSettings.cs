using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>One issuer of tokens, compiled (<c>JwtProvider</c>).</summary>
internal sealed record JwtProviderSettings
{
    public required string Name { get; init; }

    /// <summary>Empty for any.</summary>
    public required string Issuer { get; init; }

    public required JwtAudiences Audiences { get; init; }

    public required JwtLocations Locations { get; init; }

    public required IJwksSource Keys { get; init; }

    public required VerifiedTokens Verified { get; init; }

    public StringMatcher? Subjects { get; init; }

    public bool RequiresExpiration { get; init; }

    /// <summary>How far in the future a token may expire.</summary>
    public TimeSpan? MaxLifetime { get; init; }

    public TimeSpan ClockSkew { get; init; }

    /// <summary>Leaves the token in the request.</summary>
    public bool Forwards { get; init; }

    /// <summary>The header that gets the payload, base64url as it came; empty for none.</summary>
    public string PayloadHeader { get; init; } = "";

    public bool PadsPayload { get; init; }

    public (string Header, string Claim)[] ClaimHeaders { get; init; } = [];

    /// <summary>The field of the filter's dynamic metadata that gets the payload; empty for none.</summary>
    public string PayloadMetadata { get; init; } = "";

    public string HeaderMetadata { get; init; } = "";

    public string FailedStatusMetadata { get; init; } = "";

    /// <summary>Claims of which the metadata gets the words.</summary>
    public string[] SpaceDelimitedClaims { get; init; } = [];

    public bool ClearsRouteCache { get; init; }
}
