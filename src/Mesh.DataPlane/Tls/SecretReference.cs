namespace Mesh.DataPlane.Tls;

/// <summary>A secret that TLS needs, by name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsOwn">The process has it by itself (<see cref="Identity.ISecretSource"/>); else the control plane sends it.</param>
internal readonly record struct SecretReference(string Name, bool IsOwn)
{
    public override string ToString() => Name;
}
