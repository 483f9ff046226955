namespace Mesh.ControlPlane.Security;

/// <summary>What was found of a caller.</summary>
/// <param name="Caller">Who it is; <see langword="null"/> when nothing was shown or what was shown proves nothing.</param>
/// <param name="Failure">Why what was shown proves nothing; <see langword="null"/> when nothing was shown.</param>
internal readonly record struct Authentication(AuthenticatedCaller? Caller, string? Failure)
{
    public static Authentication Anonymous => default;

    public static Authentication Of(AuthenticatedCaller caller) => new(caller, null);

    public static Authentication Failed(string reason) => new(null, reason);
}
