namespace Mesh.ControlPlane;

/// <summary>Who has a role.</summary>
public sealed class MeshRoleBindingOptions
{
    /// <summary>What may be done.</summary>
    public MeshControlPlaneRole Role { get; set; }

    /// <summary>The service accounts that may: <c>namespace/account</c>, or <c>namespace/*</c> for all of a namespace.</summary>
    public IList<string> Accounts { get; } = [];

    /// <summary>The file with a token whose holders may; only its owner may have access.</summary>
    public string? TokenFile { get; set; }
}
