namespace Mesh.Xds.Jwt;

/// <summary>How the check of a token came out: the text is Envoy's, which callers see as the body of the refusal.</summary>
/// <param name="Text">What is said to the caller.</param>
internal sealed record JwtStatus(string Text)
{
    public static JwtStatus Ok { get; } = new("OK");

    public static JwtStatus Missing { get; } = new("Jwt is missing");

    public static JwtStatus NotYetValid { get; } = new("Jwt not yet valid");

    public static JwtStatus Expired { get; } = new("Jwt is expired");

    public static JwtStatus BadFormat { get; } = new("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections");

    public static JwtStatus HeaderBadBase64 { get; } = new("Jwt header is an invalid Base64url encoded");

    public static JwtStatus HeaderBadJson { get; } = new("Jwt header is an invalid JSON");

    public static JwtStatus HeaderBadAlg { get; } = new("Jwt header [alg] field is required and must be a string");

    public static JwtStatus HeaderNotImplementedAlg { get; } = new("Jwt header [alg] is not supported");

    public static JwtStatus HeaderBadKid { get; } = new("Jwt header [kid] field is not a string");

    /// <summary>RFC 7515, section 4.1.11; Envoy has no text for it.</summary>
    public static JwtStatus HeaderCrit { get; } = new("Jwt header [crit] names extensions that are not supported");

    public static JwtStatus PayloadBadBase64 { get; } = new("Jwt payload is an invalid Base64url encoded");

    public static JwtStatus PayloadBadJson { get; } = new("Jwt payload is an invalid JSON");

    public static JwtStatus PayloadBadAud { get; } = new("Jwt payload [aud] field is not a string or string list");

    public static JwtStatus SignatureBadBase64 { get; } = new("Jwt signature is an invalid Base64url encoded");

    public static JwtStatus UnknownIssuer { get; } = new("Jwt issuer is not configured");

    /// <summary>The one that is 403: the token is good, for somebody else.</summary>
    public static JwtStatus AudienceNotAllowed { get; } = new("Audiences in Jwt are not allowed");

    public static JwtStatus SubjectNotAllowed { get; } = new("Jwt subject is not allowed");

    public static JwtStatus VerificationFails { get; } = new("Jwt verification fails");

    public static JwtStatus MissingExpiration { get; } = new("Jwt is missing expiration");

    public static JwtStatus LifetimeTooLong { get; } = new("Jwt lifetime is too long");

    public static JwtStatus KeysBadJson { get; } = new("Jwks is an invalid JSON");

    public static JwtStatus KeysMissing { get; } = new("Jwks does not have [keys] field");

    public static JwtStatus KeysNoArray { get; } = new("[keys] in Jwks is not an array");

    public static JwtStatus NoValidKeys { get; } = new("Jwks doesn't have any valid public key");

    public static JwtStatus KidAlgMismatch { get; } = new("Jwks doesn't have key to match kid or alg from Jwt");

    public static JwtStatus FetchFailed { get; } = new("Jwks remote fetch is failed");

    public bool IsOk => ReferenceEquals(this, Ok);

    /// <summary>A claim of a type that it must not have.</summary>
    public static JwtStatus NotAString(string claim) => new($"Jwt payload [{claim}] field is not a string");

    public static JwtStatus NotAnInteger(string claim) => new($"Jwt payload [{claim}] field is not an integer");

    public static JwtStatus OutOfRange(string claim) => new($"Jwt payload [{claim}] field is not a positive 64 bit integer");
}
