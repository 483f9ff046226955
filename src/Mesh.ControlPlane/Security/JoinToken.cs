namespace Mesh.ControlPlane.Security;

/// <summary>A token that lets its holder be one of some service accounts.</summary>
internal sealed record JoinToken(string Name, TokenFile File, AccountSet Accounts);
