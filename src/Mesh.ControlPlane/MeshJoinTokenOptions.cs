namespace Mesh.ControlPlane;

/// <summary>A token that lets its holder be one of some service accounts.</summary>
public sealed class MeshJoinTokenOptions
{
    /// <summary>The file that holds the token, on one line; only its owner may have access. A token that changes is in force at once.</summary>
    public string File { get; set; } = "";

    /// <summary>The service accounts: <c>namespace/account</c>, or <c>namespace/*</c> for all of a namespace.</summary>
    public IList<string> Accounts { get; } = [];
}
