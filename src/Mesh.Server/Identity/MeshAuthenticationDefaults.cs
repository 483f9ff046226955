namespace Mesh.Identity;

/// <summary>The authentication scheme of the mesh.</summary>
public static class MeshAuthenticationDefaults
{
    /// <summary>The name of the scheme: <c>Mesh</c>.</summary>
    public const string AuthenticationScheme = "Mesh";
}
