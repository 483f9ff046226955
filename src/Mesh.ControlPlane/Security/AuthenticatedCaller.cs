namespace Mesh.ControlPlane.Security;

/// <summary>A caller of whom it is known who he is.</summary>
/// <param name="Credential">What proves it, without anything secret: for the audit log, and to tell the holder of an account from another.</param>
/// <param name="Accounts">The service accounts that the credential stands for.</param>
/// <param name="Expires">When the proof ends; <see langword="null"/>: with what carries it.</param>
internal sealed record AuthenticatedCaller(string Credential, AccountSet Accounts, DateTimeOffset? Expires = null)
{
    /// <summary>The credential says only which user of this machine calls: accounts that somebody holds with another credential are not his.</summary>
    public bool IsLocalUser { get; init; }

    public override string ToString() => Credential;
}
